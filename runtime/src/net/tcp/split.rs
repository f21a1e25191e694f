//! Halves of a TCP stream.

use std::error::Error;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::{AsyncRead, AsyncWrite};

use super::stream::TcpStream;

/// The half of a borrowed [`TcpStream`] that reads, from [`TcpStream::split`].
#[derive(Clone, Copy, Debug)]
pub struct ReadHalf<'a>(&'a TcpStream);

/// The half of a borrowed [`TcpStream`] that writes, from [`TcpStream::split`].
#[derive(Clone, Copy, Debug)]
pub struct WriteHalf<'a>(&'a TcpStream);

/// The half of a [`TcpStream`] that reads, from [`TcpStream::into_split`].
#[derive(Debug)]
pub struct OwnedReadHalf(Rc<TcpStream>);

/// The half of a [`TcpStream`] that writes, from [`TcpStream::into_split`].
///
/// When it is dropped, the peer reads the end of the stream.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Rc<TcpStream>,
    end_on_drop: bool,
}

impl<'a> ReadHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self(stream)
    }
}

impl<'a> WriteHalf<'a> {
    pub(super) fn new(stream: &'a TcpStream) -> Self {
        Self(stream)
    }
}

impl OwnedReadHalf {
    pub(super) fn new(stream: Rc<TcpStream>) -> Self {
        Self(stream)
    }

    /// Puts two halves of one stream together again.
    ///
    /// # Errors
    ///
    /// [`ReuniteError`] with both if they are of different streams.
    pub fn reunite(self, write: OwnedWriteHalf) -> Result<TcpStream, ReuniteError> {
        if !Rc::ptr_eq(&self.0, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.forget();
        let stream = Rc::into_inner(self.0);
        Ok(stream.expect("a stream has two halves, and both are here"))
    }
}

impl OwnedWriteHalf {
    pub(super) fn new(stream: Rc<TcpStream>) -> Self {
        Self {
            stream,
            end_on_drop: true,
        }
    }

    /// Drops the half without ending the stream: it ends with the read half.
    pub fn forget(mut self) {
        self.end_on_drop = false;
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.end_on_drop {
            // A connection that is gone has no end to be told of.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
    }
}

/// Two halves were not of one stream; both come back in here.
#[derive(Debug)]
pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

impl fmt::Display for ReuniteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these are halves of two streams: take them back out of the error")
    }
}

impl Error for ReuniteError {}

impl Deref for ReadHalf<'_> {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        self.0
    }
}

impl Deref for WriteHalf<'_> {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        self.0
    }
}

impl Deref for OwnedReadHalf {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.0
    }
}

impl Deref for OwnedWriteHalf {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

/// Reads through the stream that a half leads to.
macro_rules! impl_read_half {
    ($half:ty) => {
        impl AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                into: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &**self).poll_read(cx, into)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                into: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &**self).poll_read_vectored(cx, into)
            }
        }
    };
}

/// Writes through the stream that a half leads to.
macro_rules! impl_write_half {
    ($half:ty) => {
        impl AsyncWrite for $half {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                from: &[u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &**self).poll_write(cx, from)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                from: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut &**self).poll_write_vectored(cx, from)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut &**self).poll_flush(cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut &**self).poll_close(cx)
            }
        }
    };
}

impl_read_half!(ReadHalf<'_>);
impl_read_half!(OwnedReadHalf);
impl_write_half!(WriteHalf<'_>);
impl_write_half!(OwnedWriteHalf);
