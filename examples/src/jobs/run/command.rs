//! The `command` action: a process, its output, and never a zombie.
//!
//! Each command leads a process group of its own. The thread that started it
//! sleeps in one `poll` over three things: the output's pipe, the process's end
//! and the order to stop. Whatever ends first, the rest follows in one order:
//!
//! 1. The order to stop sends SIGTERM to the group, and SIGKILL after [`MERCY`].
//! 2. When the leader has ended, what it left in its group is killed. The leader
//!    is still a zombie then, so its number cannot belong to anybody else yet.
//! 3. What is left in the pipe is read without waiting: a process that left the
//!    group may hold the other end for ever.
//! 4. The leader is reaped.
//!
//! Only a service that is itself killed outright leaves processes behind.

use std::collections::HashSet;
use std::io::{self, ErrorKind, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use super::output::Output;
use super::stop::StopSignal;
use crate::jobs::model::{Outcome, Status};

/// Runs a command to its end, or until it is told to stop; blocks the thread.
#[must_use]
pub fn run(argv: &[String], stop: &StopSignal) -> Outcome {
    let mut output = Output::default();
    let end = Group::start(argv).and_then(|mut group| group.wait(stop, &mut output));
    match end {
        Ok(End { stopped: true, .. }) => Outcome::new(Status::Cancelled, output.into_text()),
        Ok(End { status, .. }) => {
            if let Some(signal) = status.signal() {
                output.line(&format!("ended by signal {signal}"));
            }
            let verdict = if status.success() {
                Status::Ok
            } else {
                Status::Failed
            };
            let code = status.code().map(i64::from);
            Outcome {
                status: verdict,
                code,
                output: output.into_text(),
            }
        }
        Err(why) => {
            output.line(&format!("{:?}: {why}", argv[0]));
            Outcome::new(Status::Failed, output.into_text())
        }
    }
}

/// A process and the group it leads; its end is the end of both.
struct Group {
    leader: Child,
    output: PipeReader,
    reaped: bool,
}

struct End {
    status: ExitStatus,
    stopped: bool,
}

impl Group {
    fn start(argv: &[String]) -> io::Result<Self> {
        let (output, writer) = io::pipe()?;
        ioctl_fionbio(&output, true)?;
        // The command holds the writing ends, and is dropped here: only the
        // process has them then, and its end is the pipe's end.
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .stdin(Stdio::null())
            .process_group(0);
        command.stdout(writer.try_clone()?).stderr(writer);
        // Under the lock, so that `kill_all` misses no process that is just starting.
        let mut groups = groups();
        let leader = command.spawn()?;
        groups.insert(Pid::from_child(&leader));
        drop(groups);
        Ok(Self {
            leader,
            output,
            reaped: false,
        })
    }

    fn wait(&mut self, stop: &StopSignal, output: &mut Output) -> io::Result<End> {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).ok();
        let mut order = Order::None;
        let mut at_end = false;
        while !self.has_ended()? {
            if order == Order::None && stop.is_set() {
                self.signal(Signal::TERM);
                order = Order::Asked {
                    kill_at: Instant::now() + MERCY,
                };
            }
            if matches!(order, Order::Asked { kill_at } if Instant::now() >= kill_at) {
                self.signal(Signal::KILL);
                order = Order::Killed;
            }
            let until = match (order, &pidfd) {
                (Order::Asked { kill_at }, _) => {
                    Some(kill_at.saturating_duration_since(Instant::now()))
                }
                (_, Some(_)) => None,
                (_, None) => Some(LOOK_AGAIN),
            };
            self.sleep(
                pidfd.as_ref(),
                (order == Order::None).then_some(stop),
                !at_end,
                until,
            )?;
            at_end = at_end || self.read(output, READ_AT_ONCE)?;
        }
        self.signal(Signal::KILL);
        self.read(output, READ_AT_LAST)?;
        let status = self.reap()?;
        Ok(End {
            status,
            stopped: order != Order::None,
        })
    }

    /// Lets the leader's number go; nobody may signal it from then on.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        groups().remove(&self.pid());
        self.reaped = true;
        self.leader.wait()
    }

    /// Sleeps until there is output, the process ends, the order comes or time is up.
    fn sleep(
        &self,
        pidfd: Option<&OwnedFd>,
        stop: Option<&StopSignal>,
        output: bool,
        until: Option<Duration>,
    ) -> io::Result<()> {
        let output = output.then_some(self.output.as_fd());
        let fds = [pidfd.map(AsFd::as_fd), stop.map(AsFd::as_fd), output];
        let mut fds: Vec<PollFd<'_>> = fds
            .into_iter()
            .flatten()
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        // Rounded up: a wait cut short by less than a tick would only spin.
        let until = until.map(|until| Timespec {
            tv_sec: i64::try_from(until.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(until.subsec_nanos()),
        });
        match poll(&mut fds, until.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// Reads what is there, `limit` bytes at the most; true at the pipe's end.
    fn read(&mut self, output: &mut Output, limit: usize) -> io::Result<bool> {
        let mut buffer = [0; 4096];
        let mut taken = 0;
        while taken < limit {
            match self.output.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(count) => {
                    output.push(&buffer[..count]);
                    taken += count;
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => break,
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(false)
    }

    /// Whether the leader has ended; it stays a zombie until it is reaped.
    fn has_ended(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid()), options) {
            Ok(end) => Ok(end.is_some()),
            Err(Errno::INTR) => Ok(false),
            Err(why) => Err(why.into()),
        }
    }

    fn signal(&self, signal: Signal) {
        // It fails only when nobody is left in the group, which is what is wanted.
        let _ = kill_process_group(self.pid(), signal);
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.leader)
    }
}

impl Drop for Group {
    /// Only after an error: nothing of a run stays behind.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::KILL);
            let _ = self.reap();
        }
    }
}

/// Kills every group there is: the process is about to end without waiting.
pub fn kill_all() {
    for group in groups().iter() {
        let _ = kill_process_group(*group, Signal::KILL);
    }
}

/// The groups whose leader is not reaped yet.
fn groups() -> MutexGuard<'static, HashSet<Pid>> {
    static GROUPS: LazyLock<Mutex<HashSet<Pid>>> = LazyLock::new(Mutex::default);
    // A set of numbers is whole whatever panicked.
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    None,
    Asked { kill_at: Instant },
    Killed,
}

/// From SIGTERM to SIGKILL.
pub const MERCY: Duration = Duration::from_secs(2);

/// Between looks at a process on a kernel without pidfds.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Read between two looks at everything else.
const READ_AT_ONCE: usize = 64 * 1024;

/// Read after the end: a pipe's usual capacity and then some.
const READ_AT_LAST: usize = 1024 * 1024;

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
