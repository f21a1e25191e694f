//! What a runtime shows of itself, so that every scenario can be run on it.
//!
//! A peer is one short module with one implementation of [`Runtime`]. `start`,
//! `spawn` and `yield_now` are the core; everything else has a default, and a
//! runtime that leaves it so says why in [`Runtime::lacks`]. The harness asks
//! for nothing that is lacking, and prints the reason instead of a figure.
//!
//! Every measurement is a process of its own, so a module may keep what it
//! likes in statics, and may start threads that nobody joins.
//!
//! No future here is `Send` by its type. Scenarios hold across an await only
//! what is `Send` (numbers, `Arc`s) and what the runtime itself made: a runtime
//! that moves tasks between threads may rely on that.

use crate::Echo;
use std::fmt::Debug;
use std::future::{Future, Ready};
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::ops::Range;
use std::pin::Pin;
use std::time::Duration;

/// What a scenario needs of a runtime, beyond tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `start`, `spawn`, `yield_now`. Lacking it is lacking everything: for what
    /// cannot run on this machine at all.
    Tasks,
    /// `sleep` and `timeout`.
    Timers,
    /// `exchange`, for this one.
    Exchange(Exchange),
    /// `remote`: work sent from other threads.
    Submit,
    /// `offload`: blocking calls.
    Offload,
    /// `echo_tcp`.
    Tcp,
    /// `echo_udp`.
    Udp,
    /// `http`.
    Http,
    /// Nothing of a runtime, but a machine that lets its system calls be
    /// counted.
    CountedCalls,
}

/// What tasks of one thread exchange, without anybody in the way except the
/// partner of `PingPong`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// One task owns a lock with a number, and adds 1 to it `count` times.
    Lock,
    /// Takes a permit of several and gives it back.
    Semaphore,
    /// Sets an event, waits for it and clears it.
    Event,
    /// Puts a number into a queue and gets it out.
    Queue,
    /// Two tasks, two queues of capacity 1: one sends a number, the other one
    /// sends it back with 1 added, and so on.
    PingPong,
}

/// How a runtime is to be set up; a runtime ignores what it has no knob for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// Threads for blocking calls; `None`: as the runtime likes.
    pub blocking: Option<usize>,
    /// Threads that run tasks, for a runtime that [shares tasks between
    /// threads](Runtime::MULTI_THREAD); `None`: as the runtime likes.
    pub workers: Option<usize>,
}

/// A runtime: its tasks on the thread that calls [`start`](Self::start).
pub trait Runtime: 'static {
    /// Its name on the command line and in the tables.
    const NAME: &'static str;
    /// Does one runtime run tasks on several threads?
    const MULTI_THREAD: bool = false;

    /// Why this part is not there; `None`: it is.
    fn lacks(_part: Part) -> Option<String> {
        None
    }

    /// Makes the runtime on this thread, with I/O and timers, and runs `main`.
    /// Called on several threads at once, it makes several runtimes.
    fn start<F: Future<Output: 'static> + 'static>(setup: Setup, main: F) -> F::Output;

    /// Makes a task, which runs whether it is awaited or not; dropping what is
    /// answered must not end it.
    fn spawn<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> impl Future<Output = F::Output> + 'static;

    /// Gives the other tasks a turn.
    fn yield_now() -> impl Future<Output = ()>;

    /// Waits at least so long.
    fn sleep(_duration: Duration) -> impl Future<Output = ()> {
        absent(Part::Timers)
    }

    /// The future's value if it comes in time.
    fn timeout<F: Future>(_limit: Duration, _future: F) -> impl Future<Output = Option<F::Output>> {
        absent(Part::Timers)
    }

    /// Does it `count` times with the runtime's own primitives for one thread
    /// (or those that its users take), and answers the number that came of it:
    /// `count` if all went well.
    fn exchange(what: Exchange, _count: u64) -> impl Future<Output = u64> {
        absent(Part::Exchange(what))
    }

    /// A runtime on a thread of its own, that takes work from other threads.
    fn remote() -> Box<dyn Remote> {
        missing(Part::Submit)
    }

    /// A blocking call that answers `value`, from inside a task. It is on its
    /// way when this returns, if the runtime can do that.
    fn offload(_value: u64) -> impl Future<Output = u64> + 'static {
        absent(Part::Offload)
    }

    /// Accepts as many connections as `echo` says, gives each a task that sends
    /// back what comes until the client hangs up, and answers how many bytes
    /// went back.
    fn echo_tcp(_echo: Echo) -> impl Future<Output = io::Result<u64>> {
        absent(Part::Tcp)
    }

    /// Sends every datagram back until an empty one comes, and answers how many
    /// bytes went back. The socket is blocking, as std makes it.
    fn echo_udp(_socket: UdpSocket) -> impl Future<Output = io::Result<u64>> {
        absent(Part::Udp)
    }

    /// Serves HTTP/1.1 through hyper on so many connections, each until the
    /// client hangs up.
    fn http(_listener: TcpListener, _connections: usize) -> impl Future<Output = io::Result<()>> {
        absent(Part::Http)
    }
}

/// A runtime on another thread. The calls come in bulk where the figure is small,
/// so that the call through `dyn` is not part of it.
pub trait Remote: Send + Sync {
    /// From a thread without a runtime: sends work that answers `value`, and
    /// blocks until the answer is there.
    fn round_trip(&self, value: u64) -> u64;

    /// From a thread without a runtime: sends work for each value, then waits
    /// for all answers; their sum. The threads that call it are several.
    fn batch(&self, values: Range<u64>) -> u64;

    /// From a task of another runtime of this kind: sends work for one value,
    /// awaits its answer, passes it to `answered`, goes on with the next.
    fn ask<'a>(
        &'a self,
        values: Range<u64>,
        answered: &'a mut dyn FnMut(u64),
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

    /// Ends the thread and waits for that.
    fn stop(self: Box<Self>);
}

fn absent<T>(part: impl Debug) -> Ready<T> {
    missing(part)
}

fn missing<T>(part: impl Debug) -> T {
    panic!("{part:?} is not implemented; `lacks` has to say so");
}
