//! The table of registered sources and what is known of each: per direction a
//! readiness bit and who waits for it.
#![forbid(unsafe_code)]

use super::driver::Event;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Context, Waker};

/// Reading or writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// One loop's registered sources; shared by the loop and its sockets.
pub(crate) struct Reactor {
    registry: Option<mio::Registry>,
    table: RefCell<Slab<Rc<Registration>>>,
    generation: Cell<usize>,
}

/// What is known of one source.
pub(crate) struct Registration {
    token: usize,
    /// The last event may have come: only "would block" clears a side now.
    ended: Cell<bool>,
    read: Side,
    write: Side,
}

/// One direction. It begins as ready: the first attempt is made at once, and
/// the system answers "would block" if that was too hopeful.
struct Side {
    ready: Cell<bool>,
    /// The one who polls: the last poller is the one woken.
    poller: Cell<Option<Waker>>,
    /// Those who wait in futures of their own, each with a place to give up.
    waiters: RefCell<Slab<Waker>>,
    /// Counts the events: places of an earlier one are void.
    event: Cell<u64>,
}

/// A waiter's place in a side's list: the event it waits for, and the index.
pub(super) type Place = (u64, usize);

/// How many low bits of a token are the index into the table.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX: usize = (1 << INDEX_BITS) - 1;
/// Generations wrap before they reach the driver's own tokens.
const GENERATIONS: usize = INDEX - 1;

impl Reactor {
    pub(crate) fn new(registry: Option<mio::Registry>) -> Self {
        Self {
            registry,
            table: RefCell::new(Slab::new()),
            generation: Cell::new(0),
        }
    }

    fn registry(&self) -> io::Result<&mio::Registry> {
        self.registry.as_ref().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::Unsupported,
                "this loop's driver serves no I/O; build the loop without .driver(..)",
            )
        })
    }

    /// Registers a source for both directions, edge-triggered.
    pub(crate) fn register(
        &self,
        source: &mut impl mio::event::Source,
    ) -> io::Result<Rc<Registration>> {
        let registry = self.registry()?;
        let generation = (self.generation.get() + 1) % GENERATIONS;
        self.generation.set(generation);
        let mut table = self.table.borrow_mut();
        let vacant = table.vacant_entry();
        if vacant.key() > INDEX {
            // Not before there are 2^32 of them; 2^16 where a word has 32 bits.
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "more sources on one loop than tokens; spread them over several loops",
            ));
        }
        let token = generation << INDEX_BITS | vacant.key();
        let interest = mio::Interest::READABLE | mio::Interest::WRITABLE;
        // If this fails, the vacant entry was never taken: nothing to undo.
        registry.register(source, mio::Token(token), interest)?;
        let registration = Rc::new(Registration {
            token,
            ended: Cell::new(false),
            read: Side::new(),
            write: Side::new(),
        });
        vacant.insert(registration.clone());
        Ok(registration)
    }

    /// Takes a source out, before it is closed. Errors are of no use here: a
    /// source that the selector does not know is as deregistered as can be.
    pub(crate) fn deregister(
        &self,
        source: &mut impl mio::event::Source,
        registration: &Registration,
    ) {
        if let Ok(registry) = self.registry() {
            let _ = registry.deregister(source);
        }
        let removed = self
            .table
            .borrow_mut()
            .try_remove(registration.token & INDEX);
        drop(removed);
    }

    /// An event came: the sides become ready, and those who wait are passed to
    /// `wake`, which must not panic: the others would never be told.
    pub(crate) fn dispatch(&self, event: Event, wake: impl Fn(Waker)) {
        let found = self
            .table
            .borrow()
            .get(event.token & INDEX)
            .filter(|registration| registration.token == event.token)
            .cloned();
        let Some(registration) = found else { return };
        if event.ended {
            registration.ended.set(true);
        }
        if event.readable {
            registration.read.set_ready(&wake);
        }
        if event.writable {
            registration.write.set_ready(&wake);
        }
    }

    /// Forgets who waits, at the loop's end, when nobody is left to be woken;
    /// gives the wakers back, to be dropped where no borrow is held.
    pub(crate) fn forget_all(&self) -> Vec<Waker> {
        let mut forgotten = Vec::new();
        for (_, registration) in self.table.borrow().iter() {
            registration.read.forget(&mut forgotten);
            registration.write.forget(&mut forgotten);
        }
        forgotten
    }

    /// How many sources are registered.
    pub(crate) fn len(&self) -> usize {
        self.table.borrow().len()
    }
}

impl Registration {
    fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    #[inline]
    pub(super) fn is_ready(&self, direction: Direction) -> bool {
        self.side(direction).ready.get()
    }

    /// A short read or write proved that the socket is drained. Not so if the
    /// stream has ended: its end may have been announced by the very event that
    /// announced the data, and would never be read.
    #[inline]
    pub(super) fn drained(&self, direction: Direction) {
        if !self.ended.get() {
            self.clear_ready(direction);
        }
    }

    /// "Would block" was answered.
    #[inline]
    pub(super) fn clear_ready(&self, direction: Direction) {
        self.side(direction).ready.set(false);
    }

    /// The poller waits; it replaces the one before it.
    pub(super) fn set_poller(&self, direction: Direction, cx: &Context<'_>) {
        let poller = &self.side(direction).poller;
        match poller.take() {
            Some(known) if known.will_wake(cx.waker()) => poller.set(Some(known)),
            stale => {
                poller.set(Some(cx.waker().clone()));
                drop(stale);
            }
        }
    }

    /// A waiter with a place of its own; `place` is where it was before.
    pub(super) fn set_waiter(
        &self,
        direction: Direction,
        place: &mut Option<Place>,
        cx: &Context<'_>,
    ) {
        let side = self.side(direction);
        let event = side.event.get();
        let known = place.filter(|place| place.0 == event).map(|place| place.1);
        if known.is_some_and(|index| side.has(index, cx.waker())) {
            return;
        }
        // Cloned and dropped outside the borrow: a waker may run anything.
        let waker = cx.waker().clone();
        let mut waiters = side.waiters.borrow_mut();
        let stale = match known.and_then(|index| waiters.get_mut(index)) {
            Some(known) => Some(std::mem::replace(known, waker)),
            None => {
                *place = Some((event, waiters.insert(waker)));
                None
            }
        };
        drop(waiters);
        drop(stale);
    }

    /// A waiter goes away before it was woken.
    pub(super) fn remove_waiter(&self, direction: Direction, (event, index): Place) {
        let side = self.side(direction);
        if event == side.event.get() {
            let removed = side.waiters.borrow_mut().try_remove(index);
            drop(removed);
        }
    }
}

impl Side {
    fn new() -> Self {
        Self {
            ready: Cell::new(true),
            poller: Cell::new(None),
            waiters: RefCell::new(Slab::new()),
            event: Cell::new(0),
        }
    }

    fn has(&self, index: usize, waker: &Waker) -> bool {
        let waiters = self.waiters.borrow();
        waiters
            .get(index)
            .is_some_and(|known| known.will_wake(waker))
    }

    fn forget(&self, forgotten: &mut Vec<Waker>) {
        forgotten.extend(self.poller.take());
        self.event.set(self.event.get() + 1);
        let waiters = self.waiters.take();
        forgotten.extend(waiters.into_iter().map(|(_, waiter)| waiter));
    }

    /// Ready, and everybody told. Waiters' places become void: each wakes to
    /// try again, and takes a new one if it was too late.
    fn set_ready(&self, wake: impl Fn(Waker)) {
        self.ready.set(true);
        if let Some(poller) = self.poller.take() {
            wake(poller);
        }
        if !self.waiters.borrow().is_empty() {
            self.event.set(self.event.get() + 1);
            let waiters = self.waiters.take();
            for (_, waiter) in waiters {
                wake(waiter);
            }
        }
    }
}
