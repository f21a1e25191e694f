//! What a client does: on each connection a request, its answer, the next one.

use super::say;
use super::wire::Wire;
use crate::work::Latencies;
use crate::{pin_to, raise_descriptor_limit};
use mio::{Events, Poll, Token};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Bytes over TCP, which are to come back.
    Tcp,
    /// Datagrams, which are to come back.
    Udp,
    /// HTTP requests for [`BODY`](crate::http::BODY).
    Http,
}

/// What a client does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Load {
    /// What is asked.
    pub kind: Kind,
    /// The servers, and how many connections each gets.
    pub servers: Vec<(SocketAddr, usize)>,
    /// Bytes of a message.
    pub size: usize,
    /// How long before the measuring.
    pub warm_up: Duration,
    /// How long to measure.
    pub budget: Duration,
}

/// What a client found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Requests answered while measuring.
    pub requests: u64,
    /// Nanoseconds that this took.
    pub nanos: u64,
    /// Requests answered in all.
    pub total: u64,
    /// Nanoseconds from a request to its answer: median, 99 %, 99.9 %.
    pub latency: Vec<f64>,
    /// Their curve.
    pub quantiles: Vec<(f64, u64)>,
    /// The core that the client was kept on, if it was kept on one.
    pub core: Option<usize>,
}

/// An answer that takes longer is lost.
const PATIENCE: Duration = Duration::from_secs(10);

struct Connection {
    wire: Wire,
    message: Vec<u8>,
    sent: usize,
    /// As long as the answer, or as the longest that is expected.
    answer: Vec<u8>,
    answered: usize,
    began: Instant,
    /// A request is under way.
    busy: bool,
}

impl Load {
    pub(super) fn run(&self) -> io::Result<Report> {
        raise_descriptor_limit();
        let core = pin_to(1);
        let mut poll = Poll::new()?;
        let mut connections = Vec::new();
        for (address, count) in &self.servers {
            for _ in 0..*count {
                let mut connection = self.connect(*address, connections.len())?;
                let token = Token(connections.len());
                connection.wire.register(poll.registry(), token)?;
                connections.push(connection);
            }
        }
        let mut talk = Talk {
            events: Events::with_capacity(1024),
            latencies: Latencies::new(),
            connections,
            answered: 0,
            http: self.kind == Kind::Http,
            poll: &mut poll,
        };
        talk.until(Instant::now())?;
        say("ready");
        io::stdin().read_line(&mut String::new())?;
        talk.until(Instant::now() + self.warm_up)?;
        say("measuring");
        let before = talk.answered;
        talk.latencies.clear();
        let began = Instant::now();
        let nanos = talk.until(began + self.budget)?;
        let report = Report {
            requests: talk.answered - before,
            nanos,
            total: talk.answered,
            latency: talk.latencies.answer().figures,
            quantiles: talk.latencies.quantiles(),
            core,
        };
        if let Some(first) = talk.connections.first_mut() {
            first.wire.hang_up()?;
        }
        Ok(report)
    }

    fn connect(&self, address: SocketAddr, index: usize) -> io::Result<Connection> {
        let http = self.kind == Kind::Http;
        let message = match http {
            true => crate::http::REQUEST.as_bytes().to_vec(),
            false => vec![index as u8; self.size],
        };
        Ok(Connection {
            wire: Wire::connect(self.kind, address)?,
            sent: message.len(),
            answer: vec![0; if http { 1024 } else { self.size }],
            message,
            answered: 0,
            began: Instant::now(),
            busy: false,
        })
    }
}

/// All connections.
struct Talk<'a> {
    poll: &'a mut Poll,
    events: Events,
    latencies: Latencies,
    connections: Vec<Connection>,
    answered: u64,
    http: bool,
}

impl Talk<'_> {
    /// At least one request on every connection; new ones until `end`. Answers
    /// when all are answered, with the nanoseconds from now.
    fn until(&mut self, end: Instant) -> io::Result<u64> {
        let began = Instant::now();
        for connection in &mut self.connections {
            connection.ask(self.http)?;
        }
        let mut busy = self.connections.len();
        while busy > 0 {
            match self.poll.poll(&mut self.events, Some(PATIENCE)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                polled => polled?,
            }
            if self.events.is_empty() {
                return Err(io::Error::other("an answer is lost"));
            }
            for event in &self.events {
                let connection = &mut self.connections[event.token().0];
                while connection.busy && connection.advance(self.http)? {
                    let now = Instant::now();
                    self.latencies.record(now - connection.began);
                    self.answered += 1;
                    if now < end {
                        connection.ask(self.http)?;
                    } else {
                        connection.busy = false;
                        busy -= 1;
                    }
                }
            }
        }
        Ok(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Connection {
    /// Sends the next request, or as much as goes out.
    fn ask(&mut self, http: bool) -> io::Result<()> {
        if !http {
            self.message[0] = self.message[0].wrapping_add(1);
        }
        (self.sent, self.answered, self.busy) = (0, 0, true);
        self.began = Instant::now();
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        while self.sent < self.message.len() {
            match self.wire.write(&self.message[self.sent..]) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends and reads what goes; is the answer whole?
    fn advance(&mut self, http: bool) -> io::Result<bool> {
        loop {
            self.send()?;
            match self.wire.read(&mut self.answer[self.answered..]) {
                Ok(0) => return Err(io::Error::other("the server hung up")),
                Ok(length) => self.answered += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if http {
                if crate::http::is_whole(&self.answer[..self.answered])? {
                    return Ok(true);
                }
            } else if self.answered == self.message.len() {
                return match self.answer == self.message {
                    true => Ok(true),
                    false => Err(io::Error::other("the server changed the message")),
                };
            }
        }
    }
}
