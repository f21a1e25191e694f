//! Datagrams between processes of one machine.

use std::fmt;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use crate::io::register;
use crate::reactor::{Direction, Io};

/// A Unix domain datagram socket on its loop. Datagrams are neither lost nor
/// reordered; sending waits while the receiver's queue is full.
///
/// ```
/// use polyloop::net::UnixDatagram;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let (one, other) = UnixDatagram::pair()?;
///     one.send(b"ping").await?;
///     let mut datagram = [0; 16];
///     let length = other.recv(&mut datagram).await?;
///     assert_eq!(&datagram[..length], b"ping");
///     Ok(())
/// })?
/// # }
/// ```
pub struct UnixDatagram {
    io: Io<mio::net::UnixDatagram>,
}

impl UnixDatagram {
    /// Makes a socket file to receive on.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the path cannot be bound: a file that
    /// exists must be removed first.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::from_mio(mio::net::UnixDatagram::bind(path)?)
    }

    /// A socket without a name, to send from.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the system has no socket left.
    pub fn unbound() -> io::Result<Self> {
        Self::from_mio(mio::net::UnixDatagram::unbound()?)
    }

    /// Two sockets that are connected with each other.
    ///
    /// # Errors
    ///
    /// As for [`unbound`](Self::unbound).
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = mio::net::UnixDatagram::pair()?;
        Ok((Self::from_mio(one)?, Self::from_mio(other)?))
    }

    /// Puts a socket of the standard library on this loop; it is made
    /// non-blocking.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(socket: std::os::unix::net::UnixDatagram) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::from_mio(mio::net::UnixDatagram::from_std(socket))
    }

    fn from_mio(socket: mio::net::UnixDatagram) -> io::Result<Self> {
        let io = register(socket)?;
        Ok(Self { io })
    }

    /// Takes the socket off the loop. It stays non-blocking.
    #[must_use = "the socket is closed when it is dropped"]
    pub fn into_std(self) -> std::os::unix::net::UnixDatagram {
        self.io.into_source().into()
    }

    /// Fixes the peer of [`send`](Self::send) and [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// There is no such socket file.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.io.source().connect(path)
    }

    /// Sends a datagram to the connected peer.
    ///
    /// # Errors
    ///
    /// There is no peer, or it is gone.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has sent nothing.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.io
            .run(Direction::Write, |socket| socket.send(datagram))
            .await
    }

    /// Sends a datagram to a socket file.
    ///
    /// # Errors
    ///
    /// There is no such file, or nobody receives from it.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has sent nothing.
    pub async fn send_to(&self, datagram: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let path = path.as_ref();
        self.io
            .run(Direction::Write, |socket| socket.send_to(datagram, path))
            .await
    }

    /// Receives a datagram; its length is returned.
    ///
    /// # Errors
    ///
    /// The system's own.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has received nothing.
    pub async fn recv(&self, into: &mut [u8]) -> io::Result<usize> {
        self.io
            .run(Direction::Read, |socket| socket.recv(into))
            .await
    }

    /// Receives a datagram; its length and sender are returned.
    ///
    /// # Errors
    ///
    /// The system's own.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has received nothing.
    pub async fn recv_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io
            .run(Direction::Read, |socket| socket.recv_from(into))
            .await
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.source().local_addr()
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram")
            .field("local_addr", &self.local_addr().ok())
            .finish()
    }
}

impl std::os::fd::AsFd for UnixDatagram {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.io.source().as_fd()
    }
}
