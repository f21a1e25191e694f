//! UDP sockets.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::address::{ToAddresses, lookup_host};
use super::first_that_works;
use super::tcp::set_reuse_port;
use crate::io::register;
use crate::reactor::{Direction, Io};

/// A UDP socket on its loop: what `loop.create_datagram_endpoint` makes.
///
/// Datagrams arrive whole, or cut to the length of the buffer, or not at all.
/// Any number of tasks may send and receive through one socket.
///
/// ```
/// use polyloop::net::UdpSocket;
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let server = UdpSocket::bind("127.0.0.1:0").await?;
///     let client = UdpSocket::bind("127.0.0.1:0").await?;
///     client.send_to(b"ping", server.local_addr()?).await?;
///
///     let mut datagram = [0; 16];
///     let (length, sender) = server.recv_from(&mut datagram).await?;
///     assert_eq!(&datagram[..length], b"ping");
///     assert_eq!(sender, client.local_addr()?);
///     Ok(())
/// })?
/// # }
/// ```
pub struct UdpSocket {
    io: Io<mio::net::UdpSocket>,
}

impl UdpSocket {
    /// Binds the first of the addresses that can be had; port zero lets the
    /// system choose one.
    ///
    /// # Errors
    ///
    /// The name has no address, or the last address that was tried cannot be
    /// bound, for instance because it is in use.
    pub async fn bind(address: impl ToAddresses) -> io::Result<Self> {
        let addresses = lookup_host(address).await?;
        first_that_works(addresses, std::net::UdpSocket::bind).and_then(Self::from_std)
    }

    /// Binds an address that other sockets of this kind share, over which the
    /// system spreads the datagrams by sender (SO_REUSEPORT).
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind); also where the system cannot share ports.
    pub async fn bind_reuseport(address: impl ToAddresses) -> io::Result<Self> {
        let addresses = lookup_host(address).await?;
        first_that_works(addresses, |address| {
            let domain = Domain::for_address(address);
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            set_reuse_port(&socket)?;
            socket.bind(&address.into())?;
            Ok(socket.into())
        })
        .and_then(Self::from_std)
    }

    /// Puts a socket of the standard library on this loop. It is made
    /// non-blocking, so that it cannot block the loop.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, or the socket cannot be registered.
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let io = register(mio::net::UdpSocket::from_std(socket))?;
        Ok(Self { io })
    }

    /// Takes the socket off the loop. It stays non-blocking.
    #[must_use = "the socket is closed when it is dropped"]
    pub fn into_std(self) -> std::net::UdpSocket {
        self.io.into_source().into()
    }

    /// Fixes the peer: [`send`](Self::send) sends to it, and only its datagrams
    /// are received. The first of the addresses that will do is taken.
    ///
    /// # Errors
    ///
    /// The name has no address, or the last one that was tried is unreachable.
    pub async fn connect(&self, address: impl ToAddresses) -> io::Result<()> {
        let addresses = lookup_host(address).await?;
        first_that_works(addresses, |address| self.io.source().connect(address))
    }

    /// Sends a datagram to the connected peer; its whole length is returned.
    ///
    /// # Errors
    ///
    /// The socket is not connected, the datagram is too long, or an earlier one
    /// was refused by the peer's machine.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has sent nothing.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.io
            .run(Direction::Write, |socket| socket.send(datagram))
            .await
    }

    /// Sends a datagram to the first address that `target` stands for; its whole
    /// length is returned.
    ///
    /// # Errors
    ///
    /// The name has no address, or the datagram cannot be sent there.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has sent nothing.
    pub async fn send_to(&self, datagram: &[u8], target: impl ToAddresses) -> io::Result<usize> {
        let addresses = lookup_host(target).await?;
        let target = *addresses.first().ok_or_else(super::no_address)?;
        self.io
            .run(Direction::Write, |socket| socket.send_to(datagram, target))
            .await
    }

    /// Receives a datagram from the connected peer; its length is returned.
    ///
    /// # Errors
    ///
    /// The socket is not connected, or a datagram that was sent was refused.
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

    /// Looks at the next datagram without taking it.
    ///
    /// # Errors
    ///
    /// The system's own.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn peek_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io
            .run(Direction::Read, |socket| socket.peek_from(into))
            .await
    }

    /// Receives a datagram that is already there.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none.
    pub fn try_recv_from(&self, into: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io
            .try_io(Direction::Read, |socket| socket.recv_from(into))
    }

    /// Sends a datagram if there is room for it.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room.
    pub fn try_send_to(&self, datagram: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io
            .try_io(Direction::Write, |socket| socket.send_to(datagram, target))
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.source().local_addr()
    }

    /// The address of the connected peer.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.source().peer_addr()
    }

    /// May datagrams be sent to a broadcast address (SO_BROADCAST)? Not unless set.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.io.source().set_broadcast(broadcast)
    }

    /// Receives what is sent to an IPv4 multicast group, on the given interface.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.io.source().join_multicast_v4(group, interface)
    }

    /// Receives what is sent to an IPv6 multicast group, on the interface of
    /// the given index.
    ///
    /// # Errors
    ///
    /// The system's own.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.io.source().join_multicast_v6(group, interface)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for UdpSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.io.source().as_fd()
    }
}
