//! The sockets that a group's servers listen on.
#![forbid(unsafe_code)]

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// Sockets on one port: the first chooses it, if it is to be chosen.
pub(super) fn listen_shared(
    address: impl ToSocketAddrs,
    count: usize,
) -> io::Result<Vec<TcpListener>> {
    let first = first_that_works(address, |address| listen(address, true))?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    while sockets.len() < count {
        sockets.push(listen(address, true)?);
    }
    Ok(sockets)
}

pub(super) fn first_that_works<T>(
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

pub(super) fn listen(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
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
