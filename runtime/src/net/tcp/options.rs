//! How a listener is bound.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use super::listener::TcpListener;
use crate::net::address::{ToAddresses, lookup_host};
use crate::net::first_that_works;

/// Settings of a [`TcpListener`], which [`TcpListener::options`] begins.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let listener = polyloop::net::TcpListener::options()
///         .backlog(64)
///         .reuse_port(true)
///         .bind("127.0.0.1:0")
///         .await?;
///     assert_ne!(listener.local_addr()?.port(), 0);
///     Ok(())
/// })?
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens before bind"]
pub struct TcpListenOptions {
    backlog: u32,
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
}

impl TcpListenOptions {
    pub(super) fn new() -> Self {
        Self {
            backlog: 1024,
            // On Windows the option of this name lets another process take the
            // port over.
            reuse_address: cfg!(unix),
            reuse_port: false,
            only_v6: None,
        }
    }

    /// How many connections the system keeps for [`accept`](TcpListener::accept)
    /// before it turns others away; 1024 unless set. The system may allow fewer.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// May the address be bound although connections of an earlier listener are
    /// still dying on it? Yes on Unix unless set, no elsewhere (SO_REUSEADDR).
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// May several listeners be bound to one address and share its connections?
    /// No unless set (SO_REUSEPORT). This is how each loop of a group has a
    /// listener of its own. An error from [`bind`](Self::bind) where the system
    /// has no such thing.
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Does a listener on an IPv6 address leave IPv4 alone? As the system is
    /// configured unless set.
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Binds and listens on the first of the addresses that can be had; port
    /// zero lets the system choose one.
    ///
    /// # Errors
    ///
    /// The name has no address, or the last address that was tried cannot be
    /// bound, for instance because it is in use.
    pub async fn bind(&self, address: impl ToAddresses) -> io::Result<TcpListener> {
        let addresses = lookup_host(address).await?;
        let socket = first_that_works(addresses, |address| self.listen(address))?;
        TcpListener::from_std(socket)
    }

    fn listen(&self, address: SocketAddr) -> io::Result<std::net::TcpListener> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        if self.reuse_address {
            socket.set_reuse_address(true)?;
        }
        if self.reuse_port {
            set_reuse_port(&socket)?;
        }
        if let (Some(only), SocketAddr::V6(_)) = (self.only_v6, address) {
            socket.set_only_v6(only)?;
        }
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        Ok(socket.into())
    }
}

#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
pub(in crate::net) fn set_reuse_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos")))))]
pub(in crate::net) fn set_reuse_port(_: &Socket) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system does not share a port between sockets: bind one, and hand its connections out",
    ))
}
