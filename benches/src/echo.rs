//! What an echo server is given.

use std::hint::black_box;
use std::net::TcpListener;

/// A server's task: how many connections to take from where, and what to do
/// with what they send.
#[derive(Debug)]
pub struct Echo {
    /// Listening, blocking, as std makes it.
    pub listener: TcpListener,
    /// Connections to accept; then no more come.
    pub connections: usize,
    /// Bytes of each connection's buffer.
    pub buffer: usize,
    /// Rounds of computing for each read; 0 in plain echoing.
    pub rounds: u32,
}

impl Echo {
    /// What each connection's task needs.
    pub fn handler(&self) -> Handler {
        Handler {
            buffer: self.buffer,
            rounds: self.rounds,
        }
    }
}

/// What a connection's task does with what it read.
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    /// Bytes of its buffer.
    pub buffer: usize,
    rounds: u32,
}

impl Handler {
    /// To be called with what was read, before it is sent back.
    pub fn work(self, read: &[u8]) {
        if self.rounds > 0 {
            let mut state = read.len() as u64;
            for _ in 0..self.rounds {
                for byte in read {
                    state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
            black_box(state);
        }
    }
}
