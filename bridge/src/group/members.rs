//! Loops that come, go and are replaced while the group runs.
#![forbid(unsafe_code)]

use super::choose::{Loops, Member};
use super::error::Cause;
use super::serving::Follow;
use super::threads::Threads;
use super::worker::{Recipe, start};
use super::{GroupError, LEEWAY, LoopReport, RetireError};
use crate::waiters::deadline_after;
use parking_lot::Mutex;
use polyloop::LoopHandle;
use std::sync::Arc;
use std::time::Duration;

/// What a group has of loops and threads, without the group's own end: the
/// watchdog, which is one of its threads, holds it too.
pub(super) struct Members {
    /// What loops without a role are called, with their number.
    name: String,
    pub(super) loops: Arc<Loops>,
    pub(super) threads: Arc<Threads>,
    recipe: Arc<Recipe>,
    /// What follows the changes: servers.
    followers: Mutex<Vec<Arc<dyn Follow>>>,
}

impl Members {
    pub(super) fn new(name: String, loops: Loops, recipe: Recipe) -> Self {
        Self {
            name,
            loops: Arc::new(loops),
            threads: Arc::new(Threads::new()),
            recipe: Arc::new(recipe),
            followers: Mutex::default(),
        }
    }

    /// Tells this one of loops that join or are replaced from now on.
    pub(super) fn follow(&self, follower: Arc<dyn Follow>) {
        let mut followers = self.followers.lock();
        followers.retain(|follower| !follower.is_closed());
        followers.push(follower);
    }

    /// Tells the followers of a loop that has come to sit there; not if it was
    /// retired meanwhile and another one has its seat.
    fn tell_of(&self, number: usize, record: u64, tell: impl Fn(Arc<dyn Follow>, &Member)) {
        let joined = self.loops.seats().member(number);
        let Some(joined) = joined.filter(|joined| joined.record == record) else {
            return;
        };
        let followers = self.followers.lock().clone();
        for follower in followers {
            tell(follower, joined);
        }
    }

    /// Starts a loop for each name, all at once, and waits until all run.
    ///
    /// # Errors
    /// The first one's that does not run; those that do are left running.
    pub(super) fn start_all(&self, seats: Vec<(String, Option<usize>)>) -> Result<(), GroupError> {
        let mut starting = Vec::with_capacity(seats.len());
        let mut failed = None;
        for (name, role) in seats {
            let number = self.loops.seats().reserve(role, |_, _| name);
            match self.start(number) {
                Ok(started) => starting.push((number, started)),
                Err(cause) => {
                    failed.get_or_insert((number, cause));
                }
            }
        }
        for (number, starting) in starting {
            match self.await_start(starting) {
                Ok(member) => self.loops.seats().seat(number, member),
                Err(cause) => {
                    failed.get_or_insert((number, cause));
                }
            }
        }
        match failed {
            None => Ok(()),
            Some((number, cause)) => Err(self.error(number, cause)),
        }
    }

    /// Starts one more loop and waits until it runs.
    pub(super) fn add(&self, role: Option<usize>) -> Result<usize, GroupError> {
        let number = self
            .loops
            .seats()
            .reserve(role, |number, of_role| match role {
                Some(role) => format!("{}-{of_role}", self.loops.role_name(role)),
                None => format!("{}-{number}", self.name),
            });
        let started = self.start(number).and_then(|s| self.await_start(s));
        match started {
            Ok(member) => {
                let record = member.record;
                self.loops.seats().seat(number, member);
                self.tell_of(number, record, |follower, joined| follower.joined(joined));
                Ok(number)
            }
            Err(cause) => {
                self.loops.seats().unreserve(number);
                Err(self.error(number, cause))
            }
        }
    }

    /// Starts a loop in the place of one that is stuck or has failed, which is
    /// told to stop. `false` if that one has been retired meanwhile.
    pub(super) fn replace(&self, number: usize, record: u64) -> Result<bool, GroupError> {
        let started = self.start(number).and_then(|s| self.await_start(s));
        let member = started.map_err(|cause| self.error(number, cause))?;
        let (new, handle) = (member.record, member.handle.clone());
        let is_old = |member: &Member| member.record == record;
        let replaced = self.loops.seats().replace(number, is_old, member);
        if replaced {
            self.threads.stop(record, LEEWAY);
            self.tell_of(number, new, |follower, joined| {
                follower.replaced(record, joined)
            });
        } else {
            handle.stop();
            self.threads.wait_for(new, deadline_after(LEEWAY));
        }
        Ok(replaced)
    }

    /// Takes a loop out of the choices, stops it and waits for its end.
    pub(super) fn retire(&self, number: usize, grace: Duration) -> Result<LoopReport, RetireError> {
        let member = self.loops.seats().retire(number)?;
        self.threads.stop(member.record, grace);
        let limit = grace.saturating_mul(2).saturating_add(LEEWAY);
        let report = self.threads.wait_for(member.record, deadline_after(limit));
        Ok(report.unwrap_or_else(|| LoopReport::not_ended(self.loops.seats().name(number))))
    }

    fn start(&self, number: usize) -> Result<u64, Cause> {
        let name = self.loops.seats().name(number);
        start(&self.recipe, &self.threads, number, name)
    }

    fn await_start(&self, record: u64) -> Result<Member, Cause> {
        let handle = self.threads.wait_for_start(record)?;
        Ok(Member { handle, record })
    }

    fn error(&self, number: usize, cause: Cause) -> GroupError {
        GroupError::new(self.loops.seats().name(number).to_owned(), cause)
    }

    pub(super) fn handle(&self, number: usize) -> Option<&LoopHandle> {
        self.loops
            .seats()
            .member(number)
            .map(|member| &member.handle)
    }
}
