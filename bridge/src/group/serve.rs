//! A TCP server over all loops of a group.
//!
//! Either every loop has a listening socket of its own on the one port, and the
//! system spreads the connections; or one loop accepts and hands each connection
//! to a loop that a rule chooses. A connection stays on its loop, unless its
//! handler moves it.

use super::LoopGroup;
use super::choose::Loops;
use crate::submit::{Submission, SubmissionError};
use crate::{run_coroutine_threadsafe, try_run_coroutine_threadsafe};
use polyloop::LoopHandle;
use polyloop::net::{DetachedTcpStream, TcpListener, TcpStream};
use socket2::{Domain, Protocol, Socket, Type};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// How the connections of a server come to the loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Every loop accepts, on a socket of its own; the system spreads the
    /// connections by their addresses (SO_REUSEPORT). Unix only.
    ReusePort,
    /// The group's first loop accepts and hands each connection on. Loops that
    /// are added later get their share; when the first one is retired or
    /// replaced, the server ends.
    HandOff(Policy),
}

/// Which loop a connection is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest tasks.
    LeastLoaded,
    /// Always the same for the same address of the other end, without its port.
    ByPeer,
}

/// A server that [`LoopGroup::serve_tcp`] started.
///
/// Dropping it changes nothing: it serves until it is closed or the group ends.
#[derive(Debug)]
#[must_use = "it serves on when this is dropped, with nobody left to close it"]
pub struct TcpServer {
    address: SocketAddr,
    accepting: Vec<Submission<io::Result<Infallible>>>,
}

impl TcpServer {
    /// The address it listens on, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, from the loops' next turns on; those that
    /// there are go on.
    pub fn close(&self) {
        for accepting in &self.accepting {
            accepting.cancel();
        }
    }

    /// Waits until it accepts no more, on any loop; `Server.wait_closed`.
    ///
    /// # Errors
    /// The first one of a listener that broke; the other loops may serve still.
    pub async fn wait_closed(self) -> io::Result<()> {
        for accepting in self.accepting {
            match accepting.await {
                Ok(Ok(never)) => match never {},
                Ok(Err(error)) => return Err(error),
                // Closed, with the loop or before it.
                Err(SubmissionError::Panicked(payload)) => {
                    std::panic::resume_unwind(payload.into_inner())
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl LoopGroup {
    /// Serves TCP connections on all loops: `handler` is called on the loop that
    /// the connection was given to, and its future runs there as a task.
    ///
    /// Returns when the sockets listen; a client can connect from then on. A
    /// panic in a handler goes to its loop's exception handler, and the server
    /// goes on. Out of descriptors it pauses and goes on, see
    /// [`TcpListener::serve`].
    ///
    /// An `address` that is a name is looked up here, which blocks; an
    /// `IP:port` does not.
    ///
    /// # Errors
    /// The system's: the address is in use, is not this machine's, or the system
    /// has no SO_REUSEPORT. No loop serves then.
    ///
    /// # Examples
    /// ```
    /// use polyloop_bridge::LoopGroup;
    /// use polyloop_bridge::group::Accept;
    /// use std::io::{Read, Write};
    /// use std::time::Duration;
    ///
    /// let group = LoopGroup::builder().loops(2).build()?;
    /// let server = group.serve_tcp("127.0.0.1:0", Accept::ReusePort, |stream| async move {
    ///     let _ = futures::io::copy(&stream, &mut &stream).await;
    /// })?;
    /// let mut client = std::net::TcpStream::connect(server.local_addr())?;
    /// client.write_all(b"hello")?;
    /// client.shutdown(std::net::Shutdown::Write)?;
    /// let mut echo = String::new();
    /// client.read_to_string(&mut echo)?;
    /// assert_eq!(echo, "hello");
    /// group.shutdown(Duration::from_secs(1));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "start_server")]
    pub fn serve_tcp<F, Fut>(
        &self,
        address: impl ToSocketAddrs,
        accept: Accept,
        handler: F,
    ) -> io::Result<TcpServer>
    where
        F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let handler = Arc::new(handler);
        let loops = &self.inner.members.loops;
        match accept {
            Accept::ReusePort => {
                let sockets = listen_shared(address, self.len())?;
                let address = sockets[0].local_addr()?;
                let parts = self.iter().zip(sockets);
                let accepting = parts.map(|(handle, socket)| {
                    let handler = handler.clone();
                    run_coroutine_threadsafe(handle, move || accept_here(socket, handler))
                });
                Ok(TcpServer {
                    address,
                    accepting: accepting.collect(),
                })
            }
            Accept::HandOff(policy) => {
                let socket = first_that_works(address, |address| listen(address, false))?;
                let address = socket.local_addr()?;
                let first = loops.open(None).next();
                let first = first.map(|(_, member)| &member.handle);
                let first = first.expect(super::NEVER_EMPTY);
                let loops = loops.clone();
                let accepting = run_coroutine_threadsafe(first, move || {
                    accept_for_all(socket, handler, loops, policy)
                });
                Ok(TcpServer {
                    address,
                    accepting: vec![accepting],
                })
            }
        }
    }
}

async fn accept_here<F, Fut>(
    socket: std::net::TcpListener,
    handler: Arc<F>,
) -> io::Result<Infallible>
where
    F: Fn(TcpStream) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let listener = TcpListener::from_std(socket)?;
    // Called in the connection's own task: a panic in it ends that alone.
    listener
        .serve(move |stream, _peer| {
            let handler = handler.clone();
            async move { handler(stream).await }
        })
        .await
}

async fn accept_for_all<F, Fut>(
    socket: std::net::TcpListener,
    handler: Arc<F>,
    loops: Arc<Loops>,
    policy: Policy,
) -> io::Result<Infallible>
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let listener = TcpListener::from_std(socket)?;
    listener
        .serve(move |stream, peer| {
            let target = match policy {
                Policy::RoundRobin => loops.next(None),
                Policy::LeastLoaded => loops.least_loaded(None),
                Policy::ByPeer => loops.by_key(None, &peer.ip()),
            };
            let handler = handler.clone();
            // One that is for this loop does not leave it.
            let stays = match target.filter(|target| !target.is_own_thread()) {
                None => Some((handler, stream)),
                Some(target) => {
                    hand_off(stream.detach(), handler, target, &loops);
                    None
                }
            };
            async move {
                if let Some((handler, stream)) = stays {
                    handler(stream).await;
                }
            }
        })
        .await
}

/// Sends the connection to its loop or, if that is closed, to one that is open.
fn hand_off<F, Fut>(stream: DetachedTcpStream, handler: Arc<F>, target: &LoopHandle, loops: &Loops)
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let mut work = move || async move {
        // Without a descriptor for it, the connection is closed.
        if let Ok(stream) = stream.attach() {
            handler(stream).await;
        }
    };
    let others = loops.open(None).map(|(_, member)| &member.handle);
    for handle in std::iter::once(target).chain(others) {
        match try_run_coroutine_threadsafe(handle, work) {
            Ok(_detached) => return,
            Err(refused) => work = refused.into_inner(),
        }
    }
    // Every loop is closed: the connection is closed too.
}

/// Sockets on one port: the first chooses it, if it is to be chosen.
fn listen_shared(
    address: impl ToSocketAddrs,
    count: usize,
) -> io::Result<Vec<std::net::TcpListener>> {
    let first = first_that_works(address, |address| listen(address, true))?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    while sockets.len() < count {
        sockets.push(listen(address, true)?);
    }
    Ok(sockets)
}

fn first_that_works<T>(
    address: impl ToSocketAddrs,
    mut f: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut error = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in address.to_socket_addrs()? {
        match f(address) {
            Ok(socket) => return Ok(socket),
            Err(other) => error = other,
        }
    }
    Err(error)
}

fn listen(address: SocketAddr, shared: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // On Windows the option of this name lets another process take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if shared {
        share_port(&socket)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(unix)]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn share_port(_: &Socket) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system shares no ports: use Accept::HandOff",
    ))
}

/// Connections that the system keeps until they are accepted.
const BACKLOG: i32 = 1024;
