//! A source on the loop: the operations that may answer "would block".
#![forbid(unsafe_code)]

use super::registration::{self, Direction, Reactor, Registration};
use crate::coop;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// A mio source registered with the running loop's reactor. Dropping it takes
/// it out of the selector and then closes it.
pub(crate) struct Io<S: mio::event::Source> {
    /// `None` only after `into_source`.
    source: Option<S>,
    registration: Rc<Registration>,
    reactor: Rc<Reactor>,
}

const TAKEN: &str = "the source is there until into_source takes it";

impl<S: mio::event::Source> Io<S> {
    /// Registers a source that is already non-blocking.
    ///
    /// # Errors
    /// The selector refused it; the source comes back.
    pub(crate) fn new(reactor: Rc<Reactor>, mut source: S) -> Result<Self, (io::Error, S)> {
        match reactor.register(&mut source) {
            Ok(registration) => Ok(Self {
                source: Some(source),
                registration,
                reactor,
            }),
            Err(error) => Err((error, source)),
        }
    }

    pub(crate) fn source(&self) -> &S {
        self.source.as_ref().expect(TAKEN)
    }

    /// Takes the source off the loop.
    pub(crate) fn into_source(mut self) -> S {
        let mut source = self.source.take().expect(TAKEN);
        self.reactor.deregister(&mut source, &self.registration);
        source
    }

    /// Tries `operation`; on "would block" the readiness is cleared and the
    /// caller is woken when it comes back. One caller a direction: the last one
    /// to poll is the one woken.
    #[inline]
    pub(crate) fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(coop::poll_proceed(cx));
        match self.try_io(direction, &mut operation) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.registration.set_poller(direction, cx);
                Poll::Pending
            }
            answer => {
                coop::made_progress();
                Poll::Ready(answer)
            }
        }
    }

    /// Tries `operation` without waiting. Every operation that may answer
    /// "would block" comes through here, so none forgets to clear the bit.
    #[inline]
    pub(crate) fn try_io<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        if !self.registration.is_ready(direction) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        loop {
            match operation(self.source()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.registration.clear_ready(direction);
                    return Err(error);
                }
                answer => return answer,
            }
        }
    }

    /// The operation proved that nothing is left (a short read or write): the
    /// next attempt waits for an event and saves a system call.
    #[inline]
    pub(crate) fn drained(&self, direction: Direction) {
        self.registration.drained(direction);
    }

    /// Runs `operation` until it does not answer "would block". Any number of
    /// tasks may wait at once, each is woken; dropping the future gives its
    /// place up.
    pub(crate) async fn run<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(&S) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut place = Place {
            registration: &self.registration,
            direction,
            place: None,
        };
        poll_fn(|cx| {
            ready!(coop::poll_proceed(cx));
            match self.try_io(direction, &mut operation) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.registration
                        .set_waiter(direction, &mut place.place, cx);
                    Poll::Pending
                }
                answer => {
                    coop::made_progress();
                    Poll::Ready(answer)
                }
            }
        })
        .await
    }

    /// Waits until the direction is ready, or may be.
    pub(crate) async fn ready(&self, direction: Direction) {
        let mut place = Place {
            registration: &self.registration,
            direction,
            place: None,
        };
        poll_fn(|cx| {
            ready!(coop::poll_proceed(cx));
            if self.registration.is_ready(direction) {
                coop::made_progress();
                return Poll::Ready(());
            }
            self.registration
                .set_waiter(direction, &mut place.place, cx);
            Poll::Pending
        })
        .await;
    }

    /// As [`ready`](Self::ready), for one poller a direction.
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<()> {
        ready!(coop::poll_proceed(cx));
        if self.registration.is_ready(direction) {
            coop::made_progress();
            return Poll::Ready(());
        }
        self.registration.set_poller(direction, cx);
        Poll::Pending
    }
}

/// A waiter's place in a registration's list, given up on drop.
struct Place<'a> {
    registration: &'a Registration,
    direction: Direction,
    place: Option<registration::Place>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.registration.remove_waiter(self.direction, place);
        }
    }
}

impl<S: mio::event::Source> Drop for Io<S> {
    fn drop(&mut self) {
        if let Some(mut source) = self.source.take() {
            self.reactor.deregister(&mut source, &self.registration);
        }
    }
}

impl<S: mio::event::Source + fmt::Debug> fmt::Debug for Io<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source().fmt(f)
    }
}
