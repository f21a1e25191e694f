//! A socket that accepts TCP connections.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::options::TcpListenOptions;
use super::stream::TcpStream;
use crate::io::register;
use crate::net::address::ToAddresses;
use crate::reactor::{Direction, Io};

/// A socket that accepts TCP connections on its loop.
///
/// See [`net`](crate::net) for an example with a client, and
/// [`serve`](Self::serve) for a server in a few lines.
pub struct TcpListener {
    io: Io<mio::net::TcpListener>,
}

impl TcpListener {
    /// Binds and listens on the first of the addresses that can be had; port
    /// zero lets the system choose one. [`options`](Self::options) offers more.
    ///
    /// # Errors
    ///
    /// The name has no address, or the last address that was tried cannot be
    /// bound, for instance because it is in use.
    pub async fn bind(address: impl ToAddresses) -> io::Result<Self> {
        Self::options().bind(address).await
    }

    /// Binds an address that other listeners of this kind share: each loop has
    /// one, and the system spreads the connections over them (SO_REUSEPORT).
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind); also where the system cannot share ports.
    ///
    /// ```
    /// use polyloop::net::TcpListener;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # if !cfg!(unix) { return Ok(()); }
    /// polyloop::run(async {
    ///     let first = TcpListener::bind_reuseport("127.0.0.1:0").await?;
    ///     let second = TcpListener::bind_reuseport(first.local_addr()?).await?;
    ///     assert_eq!(first.local_addr()?, second.local_addr()?);
    ///     Ok(())
    /// })?
    /// # }
    /// ```
    pub async fn bind_reuseport(address: impl ToAddresses) -> io::Result<Self> {
        Self::options().reuse_port(true).bind(address).await
    }

    /// Settings to bind with: the length of the backlog, shared ports.
    pub fn options() -> TcpListenOptions {
        TcpListenOptions::new()
    }

    /// Puts a listener of the standard library on this loop. It is made
    /// non-blocking, so that it cannot block the loop.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let io = register(mio::net::TcpListener::from_std(listener))?;
        Ok(Self { io })
    }

    /// Takes the listener off the loop. It stays non-blocking, and connections
    /// that wait in its backlog stay there.
    #[must_use = "the socket is closed when it is dropped"]
    pub fn into_std(self) -> std::net::TcpListener {
        self.io.into_source().into()
    }

    /// Waits for a connection; gives it with the peer's address.
    ///
    /// # Errors
    ///
    /// Among others, the process may have no file descriptor left for the
    /// connection, which then waits in the backlog: calling again at once fails
    /// again at once. [`serve`](Self::serve) knows what to do.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has accepted nothing. Several tasks may accept
    /// from one listener.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = self.io.run(Direction::Read, |socket| socket.accept()).await;
        on_loop(accepted)
    }

    /// Polls for a connection, on behalf of one task at a time: the last one
    /// that polled is woken.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accept = |socket: &mio::net::TcpListener| socket.accept();
        let accepted = ready!(self.io.poll_io(cx, Direction::Read, accept));
        Poll::Ready(on_loop(accepted))
    }

    /// Takes a connection that is already there.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none; else those of
    /// [`accept`](Self::accept).
    pub fn try_accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        on_loop(self.io.try_io(Direction::Read, |socket| socket.accept()))
    }

    /// The connections as a stream, which never ends. One task at a time.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address it is bound to, with the port that the system chose.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.source().local_addr()
    }
}

/// Puts an accepted connection on the loop. If that fails it is closed.
fn on_loop(
    accepted: io::Result<(mio::net::TcpStream, SocketAddr)>,
) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = accepted?;
    Ok((TcpStream::from_mio(stream)?, peer))
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("local_addr", &self.local_addr().ok())
            .finish()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for TcpListener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.io.source().as_fd()
    }
}

/// The connections of a [`TcpListener`], from [`TcpListener::incoming`].
#[must_use = "nothing is accepted until the stream is polled"]
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.listener.poll_accept(cx));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}
