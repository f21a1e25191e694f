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
    /// # Panics
    ///
    /// A panic of `handler` itself goes through and ends the server; one of the
    /// future that it returns ends that connection's task only.
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
        let (mut pause, mut in_a_row) = (SHORTEST_PAUSE, 0_u32);
        loop {
            in_a_row = (in_a_row + 1) % ACCEPTED_IN_A_ROW;
            if in_a_row == 0 {
                crate::time::yield_now().await;
            }
            match self.accept().await {
                Ok((stream, peer)) => {
                    pause = SHORTEST_PAUSE;
                    drop(crate::create_task(handler(stream, peer)));
                }
                Err(error) if is_of_connection(&error) => {}
                Err(error) if is_of_listener(&error) => return Err(error),
                // Too few descriptors, too little memory, or something unheard
                // of: another attempt at once would most likely end the same.
                Err(_) => {
                    crate::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// Did the connection fail before it was accepted?
fn is_of_connection(error: &io::Error) -> bool {
    matches!(
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

/// Is the listener no socket that listens, or not on a loop that serves it?
fn is_of_listener(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(NO_SUCH_SOCKET)
}

/// EBADF, or WSAENOTSOCK.
const NO_SUCH_SOCKET: i32 = if cfg!(windows) { 10038 } else { 9 };

/// How many connections are accepted before the other tasks have a turn.
const ACCEPTED_IN_A_ROW: u32 = 64;
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
