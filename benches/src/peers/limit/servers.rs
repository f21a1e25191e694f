//! Servers without a runtime.

use crate::scenario::Run;
use crate::scenario::serving::{count_calls, serve_tcp, serve_udp};
use crate::{Echo, process_time};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

pub const RUNS: [(&str, Run); 9] = [
    ("tcp-1-64", |work| serve_tcp(work, 0, process_time, echo)),
    ("tcp-64-64", |work| serve_tcp(work, 1, process_time, echo)),
    ("tcp-1024-64", |work| serve_tcp(work, 2, process_time, echo)),
    ("tcp-1-16k", |work| serve_tcp(work, 3, process_time, echo)),
    ("tcp-64-16k", |work| serve_tcp(work, 4, process_time, echo)),
    ("tcp-1024-16k", |work| {
        serve_tcp(work, 5, process_time, echo)
    }),
    ("udp", |work| serve_udp(work, process_time, datagrams)),
    ("calls-1", |work| count_calls(work, 0, echo)),
    ("calls-64", |work| count_calls(work, 1, echo)),
];

/// With a loop that looks for [`SPIN`] before it sleeps.
pub const SPINNING_RUNS: [(&str, Run); 3] = [
    ("tcp-1-64", |work| {
        serve_tcp(work, 0, process_time, spinning)
    }),
    ("tcp-64-64", |work| {
        serve_tcp(work, 1, process_time, spinning)
    }),
    ("tcp-1-16k", |work| {
        serve_tcp(work, 3, process_time, spinning)
    }),
];

const SPIN: Duration = Duration::from_micros(200);

struct Connection {
    stream: TcpStream,
    /// What is still to be sent back of what the buffer holds.
    unsent: std::ops::Range<usize>,
    buffer: Vec<u8>,
    echoed: u64,
    /// The client has hung up.
    ended: bool,
}

fn echo(echo: Echo) -> io::Result<u64> {
    serve(echo, |poll, events| poll.poll(events, None))
}

fn spinning(echo: Echo) -> io::Result<u64> {
    serve(echo, |poll, events| {
        let began = Instant::now();
        while began.elapsed() < SPIN {
            poll.poll(events, Some(Duration::ZERO))?;
            if !events.is_empty() {
                return Ok(());
            }
        }
        poll.poll(events, None)
    })
}

/// Bare mio: what is ready is read and sent back, until all have hung up.
fn serve(echo: Echo, wait: impl Fn(&mut Poll, &mut Events) -> io::Result<()>) -> io::Result<u64> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(echo.connections);
    for index in 0..echo.connections {
        let (stream, _) = echo.listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry()
            .register(&mut stream, Token(index), interest)?;
        connections.push(Connection {
            stream,
            unsent: 0..0,
            buffer: vec![0; echo.buffer],
            echoed: 0,
            ended: false,
        });
    }
    let mut events = Events::with_capacity(1024);
    let mut open = echo.connections;
    while open > 0 {
        match wait(&mut poll, &mut events) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            let connection = &mut connections[event.token().0];
            // Its end may be announced more than once.
            if !connection.ended && connection.advance()? {
                connection.ended = true;
                open -= 1;
            }
        }
    }
    Ok(connections.iter().map(|connection| connection.echoed).sum())
}

impl Connection {
    /// Has the client hung up?
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            while !self.unsent.is_empty() {
                match self.stream.write(&self.buffer[self.unsent.clone()]) {
                    Ok(length) => {
                        self.unsent.start += length;
                        self.echoed += length as u64;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                }
            }
            match self.stream.read(&mut self.buffer) {
                Ok(0) => return Ok(true),
                Ok(length) => self.unsent = 0..length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}

/// A blocking socket: two system calls a datagram.
fn datagrams(socket: UdpSocket) -> io::Result<u64> {
    let mut buffer = [0; 2048];
    let mut echoed = 0;
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        if length == 0 {
            return Ok(echoed);
        }
        echoed += socket.send_to(&buffer[..length], from)? as u64;
    }
}
