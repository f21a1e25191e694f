//! A thread that looks whether the loops of a group make progress.
//!
//! A loop costs this nothing while it works: it publishes its figures anyway,
//! and figures that have changed are a sign of life. Figures that stand still
//! may be those of a sleeping loop, so it is then sent an empty callback, which
//! wakes it; only a loop that leaves that undone is stuck.
#![forbid(unsafe_code)]

use super::choose::Member;
use super::error::Cause;
use super::members::Members;
use super::{GroupError, LoopReport};
use crate::submit::Submission;
use crate::try_run_coroutine_threadsafe;
use polyloop::LoopMetrics;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Settings of a group's watchdog, for
/// [`Builder::watchdog`](super::Builder::watchdog): a thread that tells of loops
/// that are stuck and of loops that fail, and replaces them if it is to.
///
/// # Examples
/// ```
/// use polyloop_bridge::group::Watchdog;
/// use polyloop_bridge::{LoopGroup, channel, run_coroutine_threadsafe};
/// use std::time::Duration;
///
/// let (tell, told) = channel::unbounded();
/// let watchdog = Watchdog::new()
///     .stuck_after(Duration::from_millis(500))
///     .replace(1)
///     .on_incident(move |incident| {
///         let _ = tell.try_send((incident.number, incident.is_stuck()));
///     });
/// let group = LoopGroup::builder().loops(2).watchdog(watchdog).build()?;
///
/// let (end, ended) = channel::oneshot::channel::<()>();
/// drop(run_coroutine_threadsafe(group.handle(1), || async {
///     let _ = ended.recv_blocking(); // Blocks the whole loop.
/// }));
/// assert_eq!(told.recv_blocking().unwrap(), (1, true));
/// // Another loop has its number and its name.
/// let submission = run_coroutine_threadsafe(group.handle(1), || async { "it works" });
/// assert_eq!(submission.result().unwrap(), "it works");
/// drop(end);
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
#[derive(Clone)]
#[must_use = "it watches nothing until it is given to a group's builder"]
pub struct Watchdog {
    stuck_after: Duration,
    replace: usize,
    on_incident: Option<OnIncident>,
}

type OnIncident = Arc<dyn Fn(&Incident) + Send + Sync>;

impl Watchdog {
    /// One that tells of stuck loops after five seconds, and replaces none.
    pub fn new() -> Self {
        Self {
            stuck_after: Duration::from_secs(5),
            replace: 0,
            on_incident: None,
        }
    }

    /// How long a loop may do nothing of what it has to do; default: 5 s, at
    /// least 1 ms. It is told of between this time and twice this time after the
    /// loop's last sign of life. A loop that sleeps is woken twice in this time.
    pub fn stuck_after(mut self, time: Duration) -> Self {
        self.stuck_after = time.max(Duration::from_millis(1));
        self
    }

    /// Replaces loops that are stuck or have failed, so many times in all;
    /// default: never.
    ///
    /// The new loop has the old one's number, name and keys. The old one is told
    /// to stop, which it does when what blocks it ends, and what it has accepted
    /// is answered then. It is in the group's report, too. Servers of the group
    /// go on with the new one.
    ///
    /// Where a new loop cannot be had, which the incident says, the watchdog tries
    /// again at its next look, and tells again.
    pub fn replace(mut self, most: usize) -> Self {
        self.replace = most;
        self
    }

    /// Called with what happened, on the watchdog's thread; default: a line on
    /// standard error. A panic in it is reported by the panic hook and no more.
    ///
    /// It must not hold the group itself, which would then never be dropped.
    pub fn on_incident(mut self, f: impl Fn(&Incident) + Send + Sync + 'static) -> Self {
        self.on_incident = Some(Arc::new(f));
        self
    }
}

impl Default for Watchdog {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("stuck_after", &self.stuck_after)
            .field("replace", &self.replace)
            .finish_non_exhaustive()
    }
}

/// Something that happened to a loop of a group.
#[derive(Debug)]
#[non_exhaustive]
pub struct Incident {
    /// The loop's number.
    pub number: usize,
    /// The loop's name.
    pub name: String,
    /// What it was.
    pub what: What,
    /// Was the loop replaced? `None` if it was not to be.
    pub replacement: Option<Result<(), GroupError>>,
}

/// What happened to a loop.
#[derive(Debug)]
#[non_exhaustive]
pub enum What {
    /// It has done nothing for so long, although it had something to do.
    Stuck(Duration),
    /// It was stuck, was not replaced, and goes on.
    Recovered,
    /// It ended without having been stopped, or with a panic.
    Failed(LoopReport),
}

impl Incident {
    /// Is the loop stuck?
    pub fn is_stuck(&self) -> bool {
        matches!(self.what, What::Stuck(_))
    }

    /// Does a loop that was stuck go on?
    pub fn is_recovered(&self) -> bool {
        matches!(self.what, What::Recovered)
    }

    /// Has the loop failed?
    pub fn is_failed(&self) -> bool {
        matches!(self.what, What::Failed(_))
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loop {} \"{}\": ", self.number, self.name)?;
        match &self.what {
            What::Stuck(time) => write!(f, "has not turned for {time:?}: a task blocks it")?,
            What::Recovered => f.write_str("was stuck and goes on")?,
            What::Failed(report) => write!(f, "has failed: {report}")?,
        }
        match &self.replacement {
            None => Ok(()),
            Some(Ok(())) => f.write_str("; another loop has its place"),
            Some(Err(error)) => write!(f, "; it could not be replaced: {error}"),
        }
    }
}

/// Starts the watchdog's thread.
pub(super) fn start(settings: Watchdog, members: &Arc<Members>) -> Result<(), GroupError> {
    const NAME: &str = "watchdog";
    let mut dog = Dog {
        settings,
        members: members.clone(),
        watched: BTreeMap::new(),
    };
    let watchdog = thread::Builder::new()
        .name(NAME.to_owned())
        .spawn(move || {
            dog.members.threads.watchdog_runs();
            dog.watch();
            dog.members.threads.watchdog_ended();
        })
        .map_err(|error| GroupError::new(NAME.to_owned(), Cause::Thread(error)))?;
    members.threads.watchdog_started(watchdog);
    Ok(())
}

struct Dog {
    settings: Watchdog,
    members: Arc<Members>,
    /// By record.
    watched: BTreeMap<u64, Watched>,
}

/// What is known of one loop.
struct Watched {
    figures: LoopMetrics,
    alive_at: Instant,
    /// The callback that it has not run yet.
    asked: Option<Submission<()>>,
    /// Its being stuck or its failure was told.
    told: bool,
}

impl Dog {
    fn watch(&mut self) {
        let pause = self.settings.stuck_after / 2;
        while !self.members.threads.pause(pause) {
            let loops = self.members.loops.clone();
            let open: Vec<_> = loops.open(None).collect();
            self.watched
                .retain(|record, _| open.iter().any(|(_, member)| member.record == *record));
            for (number, member) in open {
                if let Some(what) = self.look(member) {
                    self.tell(number, member, what);
                }
            }
        }
    }

    /// Looks at one loop; tells news.
    fn look(&mut self, member: &Member) -> Option<What> {
        let now = Instant::now();
        let figures = member.handle.metrics();
        let watched = self.watched.entry(member.record).or_insert(Watched {
            figures,
            alive_at: now,
            asked: None,
            told: false,
        });
        if let Some(report) = self.members.threads.report(member.record) {
            let failed = report.error.is_some() || report.panic.is_some();
            let news = failed && !watched.told;
            watched.told = true;
            return news.then_some(What::Failed(report));
        }
        let answered = watched.asked.as_ref().is_some_and(Submission::is_done);
        if answered || figures != watched.figures {
            watched.figures = figures;
            watched.alive_at = now;
            watched.asked = None;
            let was_stuck = std::mem::replace(&mut watched.told, false);
            return was_stuck.then_some(What::Recovered);
        }
        if watched.asked.is_none() {
            // A loop that takes nothing is about to end: its report is awaited.
            watched.asked = try_run_coroutine_threadsafe(&member.handle, || async {}).ok();
            return None;
        }
        let silent = now.saturating_duration_since(watched.alive_at);
        let news = silent >= self.settings.stuck_after && !watched.told;
        watched.told |= news;
        news.then_some(What::Stuck(silent))
    }

    fn tell(&mut self, number: usize, member: &Member, what: What) {
        let wanted = !matches!(what, What::Recovered) && self.settings.replace > 0;
        let replacement = if wanted {
            match self.members.replace(number, member.record) {
                Ok(true) => Some(Ok(())),
                // Retired meanwhile, as somebody wished.
                Ok(false) => None,
                Err(error) if error.is_stopped() => None,
                Err(error) => Some(Err(error)),
            }
        } else {
            None
        };
        match &replacement {
            None => {}
            Some(Ok(())) => self.settings.replace -= 1,
            // So that it is news at the next look.
            Some(Err(_)) => {
                if let Some(watched) = self.watched.get_mut(&member.record) {
                    watched.told = false;
                }
            }
        }
        let incident = Incident {
            number,
            name: member.handle.name().to_owned(),
            what,
            replacement,
        };
        match &self.settings.on_incident {
            Some(f) => {
                // Its panic was reported by the panic hook; the next incident is
                // told all the same.
                let _ = catch_unwind(AssertUnwindSafe(|| f(&incident)));
            }
            None => {
                use std::io::Write;
                // Nobody is left to tell when standard error is closed.
                let _ = writeln!(std::io::stderr(), "polyloop: {incident}");
            }
        }
    }
}
