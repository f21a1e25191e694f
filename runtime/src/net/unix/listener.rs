//! A socket file that accepts connections.

use std::fmt;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;

use super::stream::UnixStream;
use crate::io::register;
use crate::reactor::{Direction, Io};

/// A Unix domain socket that accepts connections: `asyncio.start_unix_server`.
///
/// The file is not removed when the listener is dropped.
pub struct UnixListener {
    io: Io<mio::net::UnixListener>,
}

impl UnixListener {
    /// Makes the socket file and listens on it.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the path cannot be bound: a file that
    /// exists must be removed first.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        let io = register(mio::net::UnixListener::bind(path)?)?;
        Ok(Self { io })
    }

    /// Puts a listener of the standard library on this loop; it is made
    /// non-blocking.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let io = register(mio::net::UnixListener::from_std(listener))?;
        Ok(Self { io })
    }

    /// Takes the listener off the loop. It stays non-blocking.
    #[must_use = "the socket is closed when it is dropped"]
    pub fn into_std(self) -> std::os::unix::net::UnixListener {
        self.io.into_source().into()
    }

    /// Waits for a connection.
    ///
    /// # Errors
    ///
    /// As for [`TcpListener::accept`](crate::net::TcpListener::accept).
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has accepted nothing.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let accepted = self.io.run(Direction::Read, |socket| socket.accept()).await;
        on_loop(accepted)
    }

    /// Polls for a connection, on behalf of one task at a time.
    ///
    /// # Errors
    ///
    /// Those of [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let accept = |socket: &mio::net::UnixListener| socket.accept();
        let accepted = ready!(self.io.poll_io(cx, Direction::Read, accept));
        Poll::Ready(on_loop(accepted))
    }

    /// The connections as a stream, which never ends. One task at a time.
    pub fn incoming(&self) -> UnixIncoming<'_> {
        UnixIncoming { listener: self }
    }

    /// The address it is bound to.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.source().local_addr()
    }
}

fn on_loop(
    accepted: io::Result<(mio::net::UnixStream, SocketAddr)>,
) -> io::Result<(UnixStream, SocketAddr)> {
    let (stream, peer) = accepted?;
    Ok((UnixStream::from_mio(stream)?, peer))
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListener")
            .field("local_addr", &self.local_addr().ok())
            .finish()
    }
}

impl std::os::fd::AsFd for UnixListener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.io.source().as_fd()
    }
}

/// The connections of a [`UnixListener`], from [`UnixListener::incoming`].
#[must_use = "nothing is accepted until the stream is polled"]
#[derive(Debug)]
pub struct UnixIncoming<'a> {
    listener: &'a UnixListener,
}

impl Stream for UnixIncoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let accepted = ready!(self.listener.poll_accept(cx));
        Poll::Ready(Some(accepted.map(|(stream, _)| stream)))
    }
}
