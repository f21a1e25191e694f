//! hyper on the loop: HTTP/1 and HTTP/2, clients and servers, whose services,
//! bodies and futures need not be `Send`.
//!
//! hyper asks its runtime for four things:
//!
//! | trait | here |
//! |---|---|
//! | `rt::Read`, `rt::Write` | [`TcpStream`] and [`UnixStream`] as they are; [`HyperIo`] around anything else, such as TLS |
//! | `rt::Timer` | [`HyperTimer`] |
//! | `rt::Executor` | [`HyperExecutor`], which HTTP/2 needs |
//!
//! ```
//! use hyper::body::Incoming;
//! use hyper::{Request, Response, server::conn::http1, service::service_fn};
//! use polyloop::compat::hyper::HyperTimer;
//! use polyloop::net::TcpListener;
//! use std::{cell::Cell, convert::Infallible, rc::Rc};
//!
//! async fn serve(listener: TcpListener) -> std::io::Result<()> {
//!     // Shared by all connections of this loop, without a lock.
//!     let visits = Rc::new(Cell::new(0));
//!     loop {
//!         let (stream, _) = listener.accept().await?;
//!         let visits = Rc::clone(&visits);
//!         let service = service_fn(move |_: Request<Incoming>| {
//!             visits.set(visits.get() + 1);
//!             let text = format!("visit {}\n", visits.get());
//!             async { Ok::<_, Infallible>(Response::new(text)) }
//!         });
//!         let connection = http1::Builder::new()
//!             .timer(HyperTimer)
//!             .serve_connection(stream, service);
//!         drop(polyloop::create_task(connection));
//!     }
//! }
//! # let _ = serve;
//! ```

use std::future::Future;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::hyper::rt::{self, ReadBufCursor};
use futures::io::{AsyncRead, AsyncWrite};
use pin_project_lite::pin_project;

use crate::net::TcpStream;
#[cfg(unix)]
use crate::net::UnixStream;
use crate::time::Sleep;

pin_project! {
    /// hyper's `Read` and `Write` over `futures`' `AsyncRead` and `AsyncWrite`,
    /// and the other way round.
    ///
    /// The loop's own streams need no wrapper, and read faster without one: the
    /// traits of `futures` know no uninitialised buffers, so this one zeroes up
    /// to 16 KiB before a read.
    #[derive(Clone, Debug)]
    pub struct HyperIo<T> {
        #[pin]
        inner: T,
    }
}

impl<T> HyperIo<T> {
    /// Wraps a stream.
    pub const fn new(inner: T) -> Self {
        Self { inner }
    }

    /// The stream.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// The stream, to change it.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Takes the stream out.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsyncRead> rt::Read for HyperIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buffer.remaining().min(ZEROED_AT_MOST);
        let into = buffer.initialize_unfilled_to(room);
        let count = ready!(self.project().inner.poll_read(cx, into))?;
        assert!(
            count <= room,
            "a reader read more than it was given room for"
        );
        // SAFETY: the first `room` bytes are initialised, and `count` is no more.
        unsafe { buffer.advance(count) };
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite> rt::Write for HyperIo<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_close(cx)
    }

    // `is_write_vectored` stays false: `AsyncWrite` cannot say whether `T`
    // writes more than the first slice.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, from)
    }
}

impl<T: rt::Read> AsyncRead for HyperIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = rt::ReadBuf::new(into);
        ready!(self.project().inner.poll_read(cx, buffer.unfilled()))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<T: rt::Write> AsyncWrite for HyperIo<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}

/// hyper's traits for a stream of the loop: reads go straight into hyper's
/// buffer, without zeroing it.
macro_rules! impl_hyper_io {
    ($stream:ty) => {
        impl rt::Read for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: ReadBufCursor<'_>,
            ) -> Poll<io::Result<()>> {
                fill(buffer, |into| self.poll_read_uninit(cx, into))
            }
        }

        impl rt::Write for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                from: &[u8],
            ) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write(self, cx, from)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_flush(self, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_close(self, cx)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                from: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write_vectored(self, cx, from)
            }
        }
    };
}

impl_hyper_io!(TcpStream);
#[cfg(unix)]
impl_hyper_io!(UnixStream);

/// Lets `read` fill hyper's buffer. It says how many bytes it has initialised.
fn fill(
    mut buffer: ReadBufCursor<'_>,
    read: impl FnOnce(&mut [MaybeUninit<u8>]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    // SAFETY: the system call behind `read` writes bytes and un-initialises none.
    let into = unsafe { buffer.as_mut() };
    let room = into.len();
    let count = ready!(read(into))?;
    assert!(
        count <= room,
        "a system call reads no more than there is room for"
    );
    // SAFETY: the system has written `count` bytes from the start.
    unsafe { buffer.advance(count) };
    Poll::Ready(Ok(()))
}

/// hyper's timer on the loop's clock: give it to a builder's `timer`.
///
/// # Panics
///
/// hyper uses it inside of the loop; elsewhere it panics.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperTimer;

impl rt::Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(crate::time::sleep(duration))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(crate::time::sleep_until(deadline))
    }

    fn now(&self) -> Instant {
        crate::time::now()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(sleep) => sleep.get_mut().reset(deadline),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

impl rt::Sleep for Sleep {}

/// Runs hyper's futures as tasks of the loop, `Send` or not: give it to the
/// HTTP/2 builders, or wherever an executor is asked for.
///
/// # Panics
///
/// hyper uses it inside of the loop; elsewhere it panics.
#[doc(alias = "LocalExecutor")]
#[doc(alias = "TokioExecutor")]
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperExecutor;

impl<F: Future + 'static> rt::Executor<F> for HyperExecutor {
    fn execute(&self, future: F) {
        drop(crate::create_task(future));
    }
}

/// As much as `HyperIo` prepares for one read.
const ZEROED_AT_MOST: usize = 16 * 1024;
