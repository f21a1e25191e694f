//! A TCP connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::net::address::{ToAddresses, lookup_host};
use crate::net::byte_stream::{ByteStream, impl_stream_io};
use crate::net::no_address;
use crate::reactor::Direction;

/// A TCP connection on its loop: `asyncio.open_connection`.
///
/// It implements `futures`' `AsyncRead` and `AsyncWrite`, and so does a shared
/// reference to it: one task may read while another one writes. Two tasks that
/// read through those traits at the same time would take turns in being woken;
/// use [`readable`](Self::readable) with [`try_read`](Self::try_read) for that.
///
/// Dropping it closes the connection. Data that was written is still sent,
/// unless received data was left unread.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use polyloop::net::{TcpListener, TcpStream};
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
///     client.set_nodelay(true)?;
///     client.write_all(b"ping").await?;
///
///     let (mut server, _) = listener.accept().await?;
///     let mut ping = [0; 4];
///     server.read_exact(&mut ping).await?;
///     assert_eq!(&ping, b"ping");
///     Ok(())
/// })?
/// # }
/// ```
pub struct TcpStream {
    pub(in crate::net) stream: ByteStream<mio::net::TcpStream>,
}

impl TcpStream {
    /// Connects to the first of the addresses that accepts, trying one after the
    /// other. Put [`timeout`](crate::timeout) around it: the system's own limit
    /// is minutes.
    ///
    /// # Errors
    ///
    /// The name has no address, or the last address that was tried did not
    /// answer or refused.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the connection up.
    #[doc(alias = "open_connection")]
    pub async fn connect(address: impl ToAddresses) -> io::Result<Self> {
        let mut last = None;
        for address in lookup_host(address).await? {
            match Self::connect_to(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    async fn connect_to(address: SocketAddr) -> io::Result<Self> {
        let this = Self::from_mio(mio::net::TcpStream::connect(address)?)?;
        // A new registration counts as ready, which an attempt would find out
        // for itself; here the event is all there is to go by. It cannot have
        // come yet: no turn has passed since.
        this.stream.io.drained(Direction::Write);
        loop {
            this.writable().await;
            if let Some(error) = this.stream.source().take_error()? {
                return Err(error);
            }
            match this.stream.source().peer_addr() {
                Ok(_) => return Ok(this),
                // Woken too early.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    this.stream.io.drained(Direction::Write);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts a connected stream of the standard library on this loop. It is made
    /// non-blocking, so that it cannot block the loop.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::from_mio(mio::net::TcpStream::from_std(stream))
    }

    pub(super) fn from_mio(stream: mio::net::TcpStream) -> io::Result<Self> {
        let stream = ByteStream::new(stream)?;
        Ok(Self { stream })
    }

    /// Takes the stream off the loop, to be used by a thread; it stays
    /// non-blocking. Bytes that were [put back](crate::net::Detached::unread)
    /// and not read again are no part of the socket and are lost:
    /// [`detach`](Self::detach) keeps them.
    #[must_use = "the connection is closed when it is dropped"]
    pub fn into_std(self) -> std::net::TcpStream {
        self.stream.io.into_source().into()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.source().peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.source().local_addr()
    }

    /// Sends small writes at once instead of collecting them (TCP_NODELAY). Off
    /// unless set; a protocol of questions and answers wants it on.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.source().set_nodelay(nodelay)
    }

    /// Are small writes sent at once?
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.stream.source().nodelay()
    }

    /// What closing does with data that was not sent yet (SO_LINGER): with
    /// `None`, as is usual, it is sent in the background; with zero the
    /// connection is reset and the data is lost.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for any other time, which
    /// would block the loop on closing; else the system's own.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        if linger.is_some_and(|time| !time.is_zero()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "closing would block the loop: use no linger time, or zero",
            ));
        }
        socket2::SockRef::from(self.stream.source()).set_linger(linger)
    }

    /// Ends one direction or both. After [`Shutdown::Write`] the peer reads the
    /// end of the stream once it has read everything.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the connection is gone.
    #[doc(alias = "write_eof")]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.stream.source().shutdown(how)
    }

    /// Reads into memory that need not be initialised; so many bytes of it are,
    /// from its start, as are read.
    #[cfg(feature = "hyper")]
    pub(crate) fn poll_read_uninit(
        &self,
        cx: &mut std::task::Context<'_>,
        into: &mut [std::mem::MaybeUninit<u8>],
    ) -> std::task::Poll<io::Result<usize>> {
        self.stream.poll_read_uninit(cx, into)
    }

    /// Waits until there is something to read, the stream has ended, or an error
    /// waits to be picked up. It may be wrong: [`try_read`](Self::try_read) then
    /// answers "would block". Any number of tasks may wait.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn readable(&self) {
        self.stream.readable().await;
    }

    /// Waits until there is room to write or an error waits to be picked up; see
    /// [`readable`](Self::readable).
    pub async fn writable(&self) {
        self.stream.writable().await;
    }

    /// As [`readable`](Self::readable), on behalf of one task at a time.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_readable(cx)
    }

    /// As [`writable`](Self::writable), on behalf of one task at a time.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.io.poll_ready(cx, Direction::Write)
    }

    /// Reads what is there; zero stands for the end of the stream.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is nothing to read;
    /// else the connection's own.
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(into)
    }

    /// As [`try_read`](Self::try_read), into several buffers.
    ///
    /// # Errors
    ///
    /// Those of [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.stream.try_read_vectored(into)
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room; else the
    /// connection's own.
    pub fn try_write(&self, from: &[u8]) -> io::Result<usize> {
        self.stream.try_write(from)
    }

    /// As [`try_write`](Self::try_write), from several buffers.
    ///
    /// # Errors
    ///
    /// Those of [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, from: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.try_write_vectored(from)
    }

    /// Reads without taking: the next read gives the same bytes.
    ///
    /// # Errors
    ///
    /// The connection's own.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn peek(&self, into: &mut [u8]) -> io::Result<usize> {
        if self.stream.has_unread() {
            return Ok(self.stream.peek_unread(into));
        }
        let peek = |socket: &mio::net::TcpStream| socket.peek(into);
        self.stream.io.run(Direction::Read, peek).await
    }

    /// Polls for bytes to look at, on behalf of one task at a time.
    ///
    /// # Errors
    ///
    /// The connection's own.
    pub fn poll_peek(&self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.stream.has_unread() {
            return Poll::Ready(Ok(self.stream.peek_unread(into)));
        }
        let peek = |socket: &mio::net::TcpStream| socket.peek(into);
        self.stream.io.poll_io(cx, Direction::Read, peek)
    }

    /// A half to read from and one to write to, for one task.
    pub fn split(&self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// Halves that two tasks of this loop can own. When the write half is
    /// dropped, the peer reads the end of the stream.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let stream = Rc::new(self);
        (
            OwnedReadHalf::new(Rc::clone(&stream)),
            OwnedWriteHalf::new(stream),
        )
    }
}

impl_stream_io!(TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for TcpStream {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.stream.source().as_fd()
    }
}
