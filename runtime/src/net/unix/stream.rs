//! A connection between two processes of one machine.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::net::byte_stream::{ByteStream, impl_stream_io};
use crate::reactor::Direction;

/// A Unix domain stream on its loop: `asyncio.open_unix_connection`.
///
/// It implements `futures`' `AsyncRead` and `AsyncWrite`, and so does a shared
/// reference to it.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use polyloop::net::UnixStream;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let (mut one, mut other) = UnixStream::pair()?;
///     one.write_all(b"hello").await?;
///     one.close().await?;
///     let mut text = String::new();
///     other.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     Ok(())
/// })?
/// # }
/// ```
pub struct UnixStream {
    pub(in crate::net) stream: ByteStream<mio::net::UnixStream>,
}

impl UnixStream {
    /// Connects to a socket file. While its listener's backlog is full it tries
    /// again, up to twenty times a second.
    ///
    /// # Errors
    ///
    /// There is no such file, nobody listens on it, or access is denied.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the connection up.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut pause = Duration::from_millis(1);
        let stream = loop {
            match mio::net::UnixStream::connect(path.as_ref()) {
                // The backlog is full; the system offers no event for its end.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    crate::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => break other?,
            }
        };
        let this = Self::from_mio(stream)?;
        match this.stream.source().take_error()? {
            Some(error) => Err(error),
            None => Ok(this),
        }
    }

    /// Two streams that are connected with each other.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the system has no socket left.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = mio::net::UnixStream::pair()?;
        Ok((Self::from_mio(one)?, Self::from_mio(other)?))
    }

    /// Puts a stream of the standard library on this loop; it is made
    /// non-blocking.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::from_mio(mio::net::UnixStream::from_std(stream))
    }

    pub(super) fn from_mio(stream: mio::net::UnixStream) -> io::Result<Self> {
        let stream = ByteStream::new(stream)?;
        Ok(Self { stream })
    }

    /// Takes the stream off the loop; it stays non-blocking. Bytes that were
    /// [put back](crate::net::Detached::unread) and not read again are no part
    /// of the socket and are lost: [`detach`](Self::detach) keeps them.
    #[must_use = "the connection is closed when it is dropped"]
    pub fn into_std(self) -> std::os::unix::net::UnixStream {
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

    /// Ends one direction or both.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the connection is gone.
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

    /// Waits until there may be something to read; any number of tasks may.
    pub async fn readable(&self) {
        self.stream.readable().await;
    }

    /// Waits until there may be room to write; any number of tasks may.
    pub async fn writable(&self) {
        self.stream.io.ready(Direction::Write).await;
    }

    /// Reads what is there; zero stands for the end of the stream.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is nothing to read.
    pub fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(into)
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room.
    pub fn try_write(&self, from: &[u8]) -> io::Result<usize> {
        self.stream.try_write(from)
    }
}

impl_stream_io!(UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixStream")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

impl std::os::fd::AsFd for UnixStream {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.stream.source().as_fd()
    }
}

const LONGEST_PAUSE: Duration = Duration::from_millis(50);
