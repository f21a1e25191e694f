//! The echo client: bare mio, the same for every server. Each connection sends
//! a message, waits for it to come back, and sends the next.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Instant;

/// Connections at a time.
pub const CONNECTIONS: usize = 64;
/// Bytes of a message.
pub const MESSAGE: usize = 64;

/// Prints how many nanoseconds the requests took.
pub fn main(address: &str, requests: &str) -> ExitCode {
    let (Ok(address), Ok(requests)) = (address.parse(), requests.parse()) else {
        eprintln!("the echo client is given an address and a number of requests");
        return ExitCode::from(2);
    };
    match talk(address, requests) {
        Ok(nanos) => {
            println!("{nanos}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the echo client: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Connection {
    stream: TcpStream,
    message: [u8; MESSAGE],
    answer: [u8; MESSAGE],
    answered: usize,
    left: u64,
}

fn talk(address: SocketAddr, requests: u64) -> io::Result<u128> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for index in 0..CONNECTIONS {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE;
        poll.registry()
            .register(&mut stream, Token(index), interest)?;
        connections.push(Connection {
            stream,
            message: [index as u8; MESSAGE],
            answer: [0; MESSAGE],
            answered: 0,
            left: requests / CONNECTIONS as u64,
        });
    }
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut open = CONNECTIONS;
    let began = Instant::now();
    for connection in &mut connections {
        connection.send()?;
    }
    while open > 0 {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            if connection.left > 0 && connection.advance()? {
                open -= 1;
            }
        }
    }
    Ok(began.elapsed().as_nanos())
}

impl Connection {
    /// A message fits into an empty socket buffer many times over.
    fn send(&mut self) -> io::Result<()> {
        self.message[0] = self.message[0].wrapping_add(1);
        self.stream.write_all(&self.message)
    }

    /// Reads what is there; answers whether this connection is done.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            match self.stream.read(&mut self.answer[self.answered..]) {
                Ok(0) => return Err(io::Error::other("the server hung up")),
                Ok(length) => self.answered += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if self.answered < MESSAGE {
                continue;
            }
            if self.answer != self.message {
                return Err(io::Error::other("the server changed the message"));
            }
            self.answered = 0;
            self.left -= 1;
            if self.left == 0 {
                return Ok(true);
            }
            self.send()?;
        }
    }
}
