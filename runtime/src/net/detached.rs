//! A connection on its way from one loop to another.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::io;

use super::byte_stream::{ByteStream, Moved};
use super::tcp::TcpStream;
#[cfg(unix)]
use super::unix::UnixStream;
use crate::io::BufReader;

/// A connection that was taken off its loop and is `Send`:
/// [`TcpStream::detach`], `UnixStream::detach`. It stays open, and whatever the
/// peer sends waits in the system's buffer. `attach` puts it on the loop of the
/// thread that calls it.
///
/// Bytes that were read already and not used go along with
/// [`unread`](Self::unread): the attached stream gives them before it reads from
/// the socket. That is how a connection is moved after a look at what it asks.
///
/// Dropping it closes the connection.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use polyloop::net::{TcpListener, TcpStream};
/// use std::io::Write;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let mut client = std::net::TcpStream::connect(listener.local_addr()?)?;
/// client.write_all(b"to the other loop, please")?;
/// let (accepted, _) = listener.accept()?;
///
/// let detached = polyloop::run(async {
///     let mut stream = TcpStream::from_std(accepted)?;
///     let mut seen = [0; 6];
///     stream.read_exact(&mut seen).await?;
///     Ok::<_, std::io::Error>(stream.detach().unread(seen))
/// })??;
/// drop(client);
/// let other = std::thread::spawn(move || {
///     polyloop::run(async {
///         let mut stream = detached.attach()?;
///         let mut all = String::new();
///         stream.read_to_string(&mut all).await?;
///         Ok::<_, std::io::Error>(all)
///     })
/// });
/// let all = other.join().expect("it does not panic")??;
/// assert_eq!(all, "to the other loop, please");
/// # Ok(())
/// # }
/// ```
#[must_use = "the connection is closed when this is dropped"]
pub struct Detached<S> {
    socket: S,
    unread: VecDeque<u8>,
}

/// A TCP connection off its loop.
pub type DetachedTcpStream = Detached<std::net::TcpStream>;

/// A Unix domain connection off its loop.
#[cfg(unix)]
pub type DetachedUnixStream = Detached<std::os::unix::net::UnixStream>;

impl<S> Detached<S> {
    fn new<M>(stream: ByteStream<M>) -> Self
    where
        M: mio::event::Source + Into<S>,
    {
        let (socket, unread) = stream.into_parts();
        Self {
            socket: socket.into(),
            unread,
        }
    }

    /// Puts bytes back that were read and not used: they are the first that the
    /// attached stream reads, before any that were put back earlier.
    pub fn unread(mut self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.unread.reserve(bytes.len());
        for byte in bytes.iter().rev() {
            self.unread.push_front(*byte);
        }
        self
    }

    /// How many bytes were read and wait to be read again.
    pub fn unread_len(&self) -> usize {
        self.unread.len()
    }

    /// The connection, to ask for its addresses or to change its options.
    pub fn socket(&self) -> &S {
        &self.socket
    }

    /// The connection, for a thread that reads and writes it itself, and the
    /// bytes that come before what is read from it. It is non-blocking.
    pub fn into_parts(self) -> (S, Vec<u8>) {
        (self.socket, self.unread.into())
    }

    fn put<M>(self, from_std: fn(S) -> M) -> Result<ByteStream<M>, AttachError<S>>
    where
        M: mio::event::Source + Into<S>,
    {
        let moved = Moved {
            source: from_std(self.socket),
            unread: self.unread,
        };
        ByteStream::attach(moved).map_err(|(error, moved)| AttachError {
            error,
            detached: Self {
                socket: moved.source.into(),
                unread: moved.unread,
            },
        })
    }
}

impl TcpStream {
    /// Takes the connection off its loop, to be sent to another one. What it has
    /// not read stays: in the system's buffer, or put back with
    /// [`Detached::unread`].
    ///
    /// Halves from [`into_split`](Self::into_split) are put together first
    /// (`reunite`); a [`BufReader`] around it is detached with
    /// [`Detached::from_buffered`].
    pub fn detach(self) -> DetachedTcpStream {
        Detached::new(self.stream)
    }
}

impl DetachedTcpStream {
    /// Takes a stream with a reader's buffer around it off its loop. What the
    /// buffer holds is read first after the move.
    pub fn from_buffered(reader: BufReader<TcpStream>) -> Self {
        let unread = reader.buffer().to_vec();
        reader.into_inner().detach().unread(unread)
    }

    /// Puts the connection on the loop of this thread.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the system has no room for the
    /// socket. The connection comes back in the error, open and whole.
    pub fn attach(self) -> Result<TcpStream, AttachError<std::net::TcpStream>> {
        Ok(TcpStream {
            stream: self.put(mio::net::TcpStream::from_std)?,
        })
    }
}

#[cfg(unix)]
impl UnixStream {
    /// Takes the connection off its loop, to be sent to another one; see
    /// [`TcpStream::detach`].
    pub fn detach(self) -> DetachedUnixStream {
        Detached::new(self.stream)
    }
}

#[cfg(unix)]
impl DetachedUnixStream {
    /// Takes a stream with a reader's buffer around it off its loop. What the
    /// buffer holds is read first after the move.
    pub fn from_buffered(reader: BufReader<UnixStream>) -> Self {
        let unread = reader.buffer().to_vec();
        reader.into_inner().detach().unread(unread)
    }

    /// Puts the connection on the loop of this thread.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the system has no room for the
    /// socket. The connection comes back in the error, open and whole.
    pub fn attach(self) -> Result<UnixStream, AttachError<std::os::unix::net::UnixStream>> {
        Ok(UnixStream {
            stream: self.put(mio::net::UnixStream::from_std)?,
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for Detached<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached")
            .field("socket", &self.socket)
            .field("unread", &self.unread.len())
            .finish()
    }
}

/// A connection could not be put on a loop; it is in here.
pub struct AttachError<S> {
    error: io::Error,
    detached: Detached<S>,
}

impl<S> AttachError<S> {
    /// The connection, to be attached elsewhere.
    pub fn into_detached(self) -> Detached<S> {
        self.detached
    }
}

impl<S> fmt::Debug for AttachError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttachError").field(&self.error).finish()
    }
}

impl<S> fmt::Display for AttachError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the connection was not put on a loop: {}; take it back with into_detached()",
            self.error
        )
    }
}

impl<S> Error for AttachError<S> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

/// The connection is closed.
impl<S> From<AttachError<S>> for io::Error {
    fn from(error: AttachError<S>) -> Self {
        error.error
    }
}
