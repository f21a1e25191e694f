//! What TCP and Unix streams have in common: bytes in, bytes out.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::task::{Context, Poll, ready};

use crate::reactor::{Direction, Io};

/// A connected stream on the loop.
pub(super) struct ByteStream<S: mio::event::Source> {
    pub(super) io: Io<S>,
    /// How many bytes come before those of the socket. Looked at by every read,
    /// so it is not behind the borrow.
    unread_len: Cell<usize>,
    unread: RefCell<VecDeque<u8>>,
}

/// What a connection consists of between two loops.
pub(super) struct Moved<S> {
    pub(super) source: S,
    pub(super) unread: VecDeque<u8>,
}

impl<S: mio::event::Source> ByteStream<S> {
    /// Takes the connection off the loop: the socket, and the bytes that come
    /// before those of the socket.
    pub(super) fn into_parts(self) -> (S, VecDeque<u8>) {
        (self.io.into_source(), self.unread.into_inner())
    }

    /// Puts a connection on the loop of this thread, or gives it back.
    pub(super) fn attach(moved: Moved<S>) -> Result<Self, (io::Error, Moved<S>)> {
        let Moved { source, unread } = moved;
        match crate::io::try_register(source) {
            Ok(io) => Ok(Self {
                io,
                unread_len: Cell::new(unread.len()),
                unread: RefCell::new(unread),
            }),
            Err((error, source)) => Err((error, Moved { source, unread })),
        }
    }

    #[inline]
    pub(super) fn has_unread(&self) -> bool {
        self.unread_len.get() > 0
    }

    /// Reads of the bytes that come before the socket's.
    #[cold]
    fn take_unread(&self, mut into: &mut [u8]) -> usize {
        let room = into.len();
        let mut unread = self.unread.borrow_mut();
        while !into.is_empty() {
            let Ok(count @ 1..) = Read::read(&mut *unread, into) else {
                break;
            };
            into = &mut into[count..];
        }
        self.unread_len.set(unread.len());
        let taken = room - into.len();
        if unread.is_empty() {
            // Needed once in a connection's life.
            *unread = VecDeque::new();
        }
        taken
    }

    #[cold]
    fn take_unread_vectored(&self, into: &mut [IoSliceMut<'_>]) -> usize {
        into.iter_mut().map(|part| self.take_unread(part)).sum()
    }

    /// Looks at the bytes that come before the socket's.
    #[cold]
    pub(super) fn peek_unread(&self, into: &mut [u8]) -> usize {
        let unread = self.unread.borrow();
        let bytes = into.iter_mut().zip(unread.iter());
        bytes.map(|(into, byte)| *into = *byte).count()
    }
}

impl<S> ByteStream<S>
where
    S: mio::event::Source,
    for<'a> &'a S: Read + Write,
{
    pub(super) fn new(source: S) -> io::Result<Self> {
        let unread = VecDeque::new();
        Self::attach(Moved { source, unread }).map_err(|(error, _closed)| error)
    }

    pub(super) fn source(&self) -> &S {
        self.io.source()
    }

    #[inline]
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.has_unread() {
            return Poll::Ready(Ok(self.take_unread(into)));
        }
        let count = ready!(self.io.poll_io(cx, Direction::Read, |mut s| s.read(into)))?;
        Poll::Ready(Ok(self.was_read(count, into.len())))
    }

    /// Reads into memory that need not be initialised; so many bytes of it are,
    /// from its start, as are read.
    #[cfg(feature = "hyper")]
    pub(super) fn poll_read_uninit(
        &self,
        cx: &mut Context<'_>,
        into: &mut [std::mem::MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>>
    where
        for<'a> socket2::SockRef<'a>: From<&'a S>,
    {
        if self.has_unread() {
            let mut unread = self.unread.borrow_mut();
            let count = into.len().min(unread.len());
            for (into, byte) in into.iter_mut().zip(unread.drain(..count)) {
                into.write(byte);
            }
            self.unread_len.set(unread.len());
            return Poll::Ready(Ok(count));
        }
        let read = |source: &S| socket2::SockRef::from(source).recv(into);
        let count = ready!(self.io.poll_io(cx, Direction::Read, read))?;
        Poll::Ready(Ok(self.was_read(count, into.len())))
    }

    pub(super) fn poll_read_vectored(
        &self,
        cx: &mut Context<'_>,
        into: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.has_unread() {
            return Poll::Ready(Ok(self.take_unread_vectored(into)));
        }
        let read = |mut s: &S| s.read_vectored(into);
        let count = ready!(self.io.poll_io(cx, Direction::Read, read))?;
        let room = into.iter().map(|part| part.len()).sum();
        Poll::Ready(Ok(self.was_read(count, room)))
    }

    #[inline]
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        let count = ready!(self.io.poll_io(cx, Direction::Write, |mut s| s.write(from)))?;
        Poll::Ready(Ok(self.was_written(count, from.len())))
    }

    pub(super) fn poll_write_vectored(
        &self,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = |mut s: &S| s.write_vectored(from);
        let count = ready!(self.io.poll_io(cx, Direction::Write, write))?;
        let length = from.iter().map(|part| part.len()).sum();
        Poll::Ready(Ok(self.was_written(count, length)))
    }

    pub(super) fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        if self.has_unread() {
            return Ok(self.take_unread(into));
        }
        let count = self.io.try_io(Direction::Read, |mut s| s.read(into))?;
        Ok(self.was_read(count, into.len()))
    }

    pub(super) fn try_read_vectored(&self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if self.has_unread() {
            return Ok(self.take_unread_vectored(into));
        }
        let read = |mut s: &S| s.read_vectored(into);
        let count = self.io.try_io(Direction::Read, read)?;
        let room = into.iter().map(|part| part.len()).sum();
        Ok(self.was_read(count, room))
    }

    pub(super) fn try_write(&self, from: &[u8]) -> io::Result<usize> {
        let count = self.io.try_io(Direction::Write, |mut s| s.write(from))?;
        Ok(self.was_written(count, from.len()))
    }

    pub(super) fn try_write_vectored(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        let write = |mut s: &S| s.write_vectored(from);
        let count = self.io.try_io(Direction::Write, write)?;
        let length = from.iter().map(|part| part.len()).sum();
        Ok(self.was_written(count, length))
    }

    pub(super) async fn readable(&self) {
        if !self.has_unread() {
            self.io.ready(Direction::Read).await;
        }
    }

    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_unread() {
            return Poll::Ready(());
        }
        self.io.poll_ready(cx, Direction::Read)
    }

    pub(super) fn writable(&self) -> impl Future<Output = ()> {
        self.io.ready(Direction::Write)
    }

    /// A read that did not fill its buffer has emptied the socket's: the next
    /// one would only be told so. The end of the stream (zero) stays readable.
    #[inline]
    fn was_read(&self, count: usize, room: usize) -> usize {
        if SHORT_MEANS_DRAINED && 0 < count && count < room {
            self.io.drained(Direction::Read);
        }
        count
    }

    /// A write that was cut short has filled the socket's buffer.
    #[inline]
    fn was_written(&self, count: usize, length: usize) -> usize {
        if SHORT_MEANS_DRAINED && 0 < count && count < length {
            self.io.drained(Direction::Write);
        }
        count
    }
}

/// Selectors that report every change after this one again, without having been
/// told "would block" first.
const SHORT_MEANS_DRAINED: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
));

/// Gives a type whose `stream` field is a [`ByteStream`] the I/O traits, for
/// itself and for a shared reference. A function cannot implement a trait.
macro_rules! impl_stream_io {
    ($stream:ident) => {
        impl_stream_io!(@one $stream);
        impl_stream_io!(@one &$stream);
    };
    (@one $($stream:tt)+) => {
        impl ::futures::AsyncRead for $($stream)+ {
            fn poll_read(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                into: &mut [u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.stream.poll_read(cx, into)
            }

            fn poll_read_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                into: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.stream.poll_read_vectored(cx, into)
            }
        }

        impl ::futures::AsyncWrite for $($stream)+ {
            fn poll_write(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                from: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.stream.poll_write(cx, from)
            }

            fn poll_write_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                from: &[::std::io::IoSlice<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                self.stream.poll_write_vectored(cx, from)
            }

            /// Nothing is buffered here.
            fn poll_flush(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready(Ok(()))
            }

            /// Tells the peer that nothing more will be written.
            fn poll_close(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready($crate::net::byte_stream::end_of_writing(
                    self.stream.source().shutdown(::std::net::Shutdown::Write),
                ))
            }
        }
    };
}
pub(super) use impl_stream_io;

/// A connection that the peer has ended needs no end of its own.
pub(super) fn end_of_writing(shutdown: io::Result<()>) -> io::Result<()> {
    match shutdown {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        other => other,
    }
}
