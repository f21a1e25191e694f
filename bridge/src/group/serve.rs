//! A TCP server over all loops of a group, or over those of a role.
//!
//! Either every loop has a listening socket of its own on the one port, and the
//! system spreads the connections; or one loop accepts and hands each connection
//! to a loop that a rule chooses. A connection stays on its loop, unless its
//! handler moves it. [`serving`](super::serving) keeps the server going while
//! loops come and go.
#![forbid(unsafe_code)]

use super::listen::{first_that_works, listen, listen_shared};
use super::members::Members;
use super::parts::Parts;
use super::serving::Serving;
use super::{LoopGroup, Role};
use polyloop::net::TcpStream;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

/// How the connections of a server come to the loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// Every loop accepts, on a socket of its own; the system spreads the
    /// connections by their addresses (SO_REUSEPORT). Unix only.
    ///
    /// A loop that is added accepts too. What the system gave to a loop that is
    /// retired or replaced before that loop accepted it is reset.
    ReusePort,
    /// One loop, the group's first, accepts and hands each connection on. When
    /// it is retired, is replaced or ends, another one goes on, with the
    /// connections that wait.
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
#[must_use = "it serves on when this is dropped, with nobody left to close it"]
pub struct TcpServer {
    address: SocketAddr,
    parts: Arc<Parts>,
}

impl TcpServer {
    /// The address it listens on, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, from the loops' next turns on; those that
    /// there are go on.
    pub fn close(&self) {
        self.parts.close();
    }

    /// Waits until it accepts no more, on any loop; `Server.wait_closed`. That is
    /// so after [`close`](Self::close), and when no loop is left to accept.
    ///
    /// # Errors
    /// The first one of a listener that broke, or could not be had for a loop
    /// that was added; the other loops may serve still.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing: the server serves on.
    pub async fn wait_closed(self) -> io::Result<()> {
        self.parts.ended().await
    }
}

impl fmt::Debug for TcpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpServer")
            .field("address", &self.address)
            .field("loops", &self.parts.len())
            .finish()
    }
}

impl LoopGroup {
    /// Serves TCP connections on all loops: `handler` is called on the loop that
    /// the connection was given to, and its future runs there as a task.
    ///
    /// Returns when the sockets listen; a client can connect from then on. A
    /// panic in a handler goes to its loop's exception handler, and the server
    /// goes on. Out of descriptors it pauses and goes on, see
    /// [`TcpListener::serve`](polyloop::net::TcpListener::serve).
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
        serve(&self.inner.members, None, address, accept, handler)
    }
}

impl Role<'_> {
    /// Serves TCP connections on the loops of this role alone; else as
    /// [`LoopGroup::serve_tcp`].
    ///
    /// # Errors
    /// Those of [`LoopGroup::serve_tcp`].
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
        let (members, role) = self.parts();
        serve(members, Some(role), address, accept, handler)
    }
}

fn serve<F, Fut>(
    members: &Members,
    role: Option<usize>,
    address: impl ToSocketAddrs,
    accept: Accept,
    handler: F,
) -> io::Result<TcpServer>
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let sockets = match accept {
        Accept::ReusePort => {
            // At least one, which chooses the port.
            let loops = members.loops.open(role).count().max(1);
            listen_shared(address, loops)?
        }
        Accept::HandOff(_) => vec![first_that_works(address, |address| listen(address, false))?],
    };
    let address = sockets[0].local_addr()?;
    let loops = members.loops.clone();
    let serving = Serving::new(handler, loops, role, accept, address);
    let parts = serving.parts().clone();
    // Known to the group first, so that no loop is missed that comes meanwhile.
    members.follow(serving.clone());
    serving.start(sockets);
    Ok(TcpServer { address, parts })
}
