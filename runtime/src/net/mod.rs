//! Sockets on the loop: TCP, UDP, Unix domain sockets and name look-up.
//!
//! A socket belongs to the loop it was made on and is neither `Send` nor
//! `Sync`. To move a connection to another loop, take it off this one with
//! [`detach`](TcpStream::detach), send what that gives, and
//! [`attach`](DetachedTcpStream::attach) it there; nothing is lost on the way.
//! Other sockets have `into_std` and `from_std`.
//!
//! Streams speak `futures`' [`AsyncRead`](futures::AsyncRead) and
//! [`AsyncWrite`](futures::AsyncWrite), also through a shared reference, so one
//! task may read while another writes. Addresses are given as a
//! [`SocketAddr`](std::net::SocketAddr), as `"host:port"` or as
//! `("host", port)`: see [`ToAddresses`].
//!
//! ```
//! use futures::{AsyncReadExt, AsyncWriteExt};
//! use polyloop::net::{TcpListener, TcpStream};
//!
//! # fn main() -> std::io::Result<()> {
//! polyloop::run(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = polyloop::create_task(async move {
//!         let (mut peer, _) = listener.accept().await?;
//!         let mut word = [0; 5];
//!         peer.read_exact(&mut word).await?;
//!         peer.write_all(&word).await
//!     });
//!     let mut stream = TcpStream::connect(address).await?;
//!     stream.write_all(b"hello").await?;
//!     let mut answer = String::new();
//!     stream.read_to_string(&mut answer).await?;
//!     assert_eq!(answer, "hello");
//!     server.await.expect("nobody cancels it")
//! })?
//! # }
//! ```

#![forbid(unsafe_code)]

mod address;
mod byte_stream;
mod detached;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

use std::io;

pub use address::{ToAddresses, lookup_host};
#[cfg(unix)]
pub use detached::DetachedUnixStream;
pub use detached::{AttachError, Detached, DetachedTcpStream};
pub use tcp::{
    Incoming, OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, TcpListenOptions, TcpListener,
    TcpStream, WriteHalf,
};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixIncoming, UnixListener, UnixStream};

/// Tries the addresses in turn; the last error counts if none will do.
fn first_that_works<A, R>(
    addresses: impl IntoIterator<Item = A>,
    mut attempt: impl FnMut(A) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = None;
    for address in addresses {
        match attempt(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(no_address))
}

fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "the name has no address: check its spelling and the machine's resolver",
    )
}
