//! The parts of a server: which loops accept, and whether it has ended.
#![forbid(unsafe_code)]

use crate::submit::Submission;
use crate::sync::Event;
use crate::waiters::quietly;
use parking_lot::Mutex;
use std::io;
use std::net::TcpListener as Socket;

/// A server's parts, whatever its handler.
pub(super) struct Parts {
    list: Mutex<List>,
    /// No part is left, or a listener broke.
    ended: Event,
}

#[derive(Default)]
struct List {
    parts: Vec<Part>,
    next: u64,
    /// The only part is on its way to another loop.
    moving: bool,
    closed: bool,
    error: Option<io::Error>,
}

pub(super) struct Part {
    pub(super) number: u64,
    /// The loops that it was on, by their records, and last the one that has it.
    pub(super) records: Vec<u64>,
    /// Its socket once more, to shut it and to move it.
    pub(super) socket: Socket,
    /// Known once the loop has taken it.
    pub(super) accepting: Option<Submission<()>>,
}

impl Part {
    pub(super) fn is_on(&self, record: u64) -> bool {
        self.records.last() == Some(&record)
    }
}

impl Parts {
    pub(super) fn new() -> Self {
        Self {
            list: Mutex::default(),
            ended: Event::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.lock().parts.len()
    }

    pub(super) fn close(&self) {
        let mut list = self.list.lock();
        list.closed = true;
        let accepting = list.parts.iter().filter_map(|part| part.accepting.as_ref());
        accepting.for_each(|accepting| {
            accepting.cancel();
        });
        drop(list);
        self.end_if_empty();
    }

    pub(super) async fn ended(&self) -> io::Result<()> {
        self.ended.wait().await;
        self.list.lock().error.take().map_or(Ok(()), Err)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.list.lock().closed
    }

    pub(super) fn is_nowhere(&self) -> bool {
        let list = self.list.lock();
        list.parts.is_empty() && !list.moving
    }

    pub(super) fn broke(&self, error: io::Error) {
        self.list.lock().error.get_or_insert(error);
        quietly(|| self.ended.set());
    }

    pub(super) fn end_if_empty(&self) {
        if self.list.lock().parts.is_empty() {
            quietly(|| self.ended.set());
        }
    }

    /// Enters a part; `None` if its loop has one, or the server is closed.
    pub(super) fn enter(&self, records: Vec<u64>, socket: Socket) -> Option<u64> {
        let mut list = self.list.lock();
        let mut here = list.parts.iter().map(|part| part.records.last());
        if list.closed || here.any(|record| record == records.last()) {
            return None;
        }
        if list.error.is_none() {
            self.ended.clear();
        }
        let number = list.next;
        list.next += 1;
        list.parts.push(Part {
            number,
            records,
            socket,
            accepting: None,
        });
        Some(number)
    }

    /// The loop of that record has taken it.
    pub(super) fn taken(&self, number: u64, record: u64, accepting: Submission<()>) {
        let mut list = self.list.lock();
        let closed = list.closed;
        // It may have ended already.
        if let Some(part) = list.parts.iter_mut().find(|part| part.number == number) {
            if closed {
                accepting.cancel();
            }
            if !part.is_on(record) {
                part.records.push(record);
            }
            part.accepting = Some(accepting);
        }
    }

    /// Takes a part out: to move it, or for good.
    pub(super) fn take_out(&self, which: impl Fn(&Part) -> bool, moving: bool) -> Option<Part> {
        let mut list = self.list.lock();
        let place = list.parts.iter().position(which)?;
        list.moving = moving;
        Some(list.parts.swap_remove(place))
    }

    /// What was taken out to be moved is entered again, or lost.
    pub(super) fn moved(&self) {
        self.list.lock().moving = false;
    }
}
