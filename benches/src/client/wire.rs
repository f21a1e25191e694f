//! A client's end of a connection: TCP or UDP, the same to the one who asks.

use super::Kind;
use mio::Registry;
use mio::event::Source;
use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Token};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};

pub enum Wire {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Wire {
    pub fn connect(kind: Kind, address: SocketAddr) -> io::Result<Self> {
        if kind == Kind::Udp {
            let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(address)?;
            socket.set_nonblocking(true)?;
            return Ok(Self::Udp(UdpSocket::from_std(socket)));
        }
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self::Tcp(TcpStream::from_std(stream)))
    }

    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Self::Tcp(stream) => stream.register(registry, token, interest),
            Self::Udp(socket) => socket.register(registry, token, interest),
        }
    }

    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Udp(socket) => socket.recv(into),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Udp(socket) => socket.send(bytes),
        }
    }

    /// Tells a server of datagrams that no more come; a stream's server sees it
    /// when the stream is closed.
    pub fn hang_up(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(_) => Ok(()),
            Self::Udp(socket) => socket.send(&[]).map(drop),
        }
    }
}
