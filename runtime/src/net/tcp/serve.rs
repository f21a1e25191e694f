//! The accept loop that most servers want.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::listener::TcpListener;
use super::stream::TcpStream;

impl TcpListener {
    /// Accepts connections and starts a task for each: `asyncio.start_server`.
    ///
    /// It goes on until it is dropped. A connection that fails before it is
    /// accepted is skipped. When the process or the machine has no file
    /// descriptor or memory left, it pauses, from 10 ms up to a second, and
    /// leaves the loop to the connections that there are, so that they can end.
    /// The connections' tasks run on when the server is dropped.
    ///
    /// # Errors
    ///
    /// The listener itself is broken.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has accepted nothing that it did not start.
    ///
    /// ```
    /// use futures::{AsyncReadExt, io::copy};
    /// use polyloop::net::{TcpListener, TcpStream};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// polyloop::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let address = listener.local_addr()?;
    ///     let server = polyloop::create_task(async move {
    ///         // An echo server.
    ///         listener
    ///             .serve(|stream, _peer| async move {
    ///                 let _ = copy(&stream, &mut &stream).await;
    ///             })
    ///             .await
    ///     });
    ///     let mut client = TcpStream::connect(address).await?;
    ///     futures::AsyncWriteExt::write_all(&mut client, b"hello").await?;
    ///     client.shutdown(std::net::Shutdown::Write)?;
    ///     let mut answer = String::new();
    ///     client.read_to_string(&mut answer).await?;
    ///     assert_eq!(answer, "hello");
    ///     server.cancel();
    ///     Ok(())
    /// })?
    /// # }
    /// ```
    #[doc(alias = "start_server")]
    pub async fn serve<F, Fut>(&self, mut handler: F) -> io::Result<Infallible>
    where
        F: FnMut(TcpStream, SocketAddr) -> Fut,
        Fut: Future<Output = ()> + 'static,
    {
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.accept().await {
                Ok((stream, peer)) => {
                    pause = SHORTEST_PAUSE;
                    drop(crate::create_task(handler(stream, peer)));
                }
                Err(error) if is_exhaustion(&error) => {
                    crate::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) if is_fault_of_listener(&error) => return Err(error),
                // The connection failed, not the listener.
                Err(_) => {}
            }
        }
    }
}

/// Is there too little of something that other connections may give back?
fn is_exhaustion(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || error
            .raw_os_error()
            .is_some_and(|code| EXHAUSTION.contains(&code))
}

/// Will it fail in the same way for ever?
fn is_fault_of_listener(error: &io::Error) -> bool {
    // A connection's own errors are of these kinds; whatever else there is must
    // not keep a loop busy that never waits.
    !matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NotConnected
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TimedOut
    )
}

/// ENFILE, EMFILE, ENOMEM, ENOBUFS; the last differs between systems.
#[cfg(unix)]
const EXHAUSTION: [i32; 4] = [
    23,
    24,
    12,
    if cfg!(any(target_os = "linux", target_os = "android")) {
        105
    } else {
        55
    },
];

/// WSAEMFILE and WSAENOBUFS.
#[cfg(not(unix))]
const EXHAUSTION: [i32; 2] = [10024, 10055];

const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
