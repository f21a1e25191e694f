//! Signals of the operating system, on the loop: [`ctrl_c`] and [`Signals`].
//!
//! # Protocol
//!
//! Every [`Signals`] has a pipe of its own, whose reading end is registered with
//! its loop, and one counter for each signal it listens to. The handler, which
//! runs between two instructions of any thread, adds one to its counter and
//! *then* writes a byte to the pipe; the loop empties the pipe and *then* looks
//! at the counters. So a signal that comes while the loop looks leaves a byte
//! behind, and none is lost. If the pipe is full the byte is not written: there
//! are bytes in it that the loop has yet to read.
//!
//! The table of handlers is the registry's, one for the whole process: any
//! number of listeners, on any number of loops, each hear every signal, and no
//! thread stands between. What was registered is taken out when a listener is
//! dropped, and the registry waits then for a handler that is running.
//!
//! Fields × threads: the counters and the pipe's writing end are shared by the
//! handler (any thread) and the listener (its own); everything else is the
//! listener's. Counters use release and acquire, so that a count is seen by
//! whoever was woken for it.
//!
//! # Children
//!
//! A child process between fork and exec still has the handlers and the pipe.
//! The handler therefore compares process ids: a Ctrl-C that reaches parent and
//! child is not counted twice.

mod kind;
mod run;

use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use futures::Stream;
use mio::unix::pipe::{self, Receiver, Sender};
use signal_hook_registry::SigId;

use crate::reactor::{Direction, Io};

pub use kind::Signal;
pub use run::run_until_interrupted;

/// Waits until Ctrl-C is pressed (SIGINT), from the moment of this call; called
/// outside of a loop, from the future's first poll.
///
/// From that moment on, the process is no longer ended by Ctrl-C; not when the
/// future is dropped either. Presses between two calls are not heard: for more
/// than one use [`Signals`].
///
/// # Errors
///
/// The output is an error if no pipe could be had.
///
/// # Cancel safety
///
/// Dropping the future stops listening.
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// println!("press Ctrl-C to end");
/// polyloop::run(polyloop::signal::ctrl_c())?
/// # }
/// ```
pub fn ctrl_c() -> CtrlC {
    let listening = crate::try_current_loop().map(|_| interrupts());
    CtrlC { listening }
}

fn interrupts() -> io::Result<Signals> {
    Signals::new([Signal::INTERRUPT])
}

/// The future of [`ctrl_c`].
#[must_use = "nothing waits until the future is awaited"]
#[derive(Debug)]
pub struct CtrlC {
    /// `None` before the first poll of a future that was made outside of a loop.
    listening: Option<io::Result<Signals>>,
}

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let heard = match self.listening.get_or_insert_with(interrupts) {
            Ok(signals) => ready!(signals.poll_next(cx)),
            Err(error) => {
                let error = io::Error::new(error.kind(), error.to_string());
                return Poll::Ready(Err(error));
            }
        };
        Poll::Ready(match heard {
            Some(_) => Ok(()),
            None => Err(io::Error::other("the loop no longer serves the pipe")),
        })
    }
}

/// Signals as they arrive: `loop.add_signal_handler`, as a stream.
///
/// It listens from its creation until it is dropped. A signal that is listened
/// to does not do what it otherwise does, such as end the process, from then on
/// and until the process ends. The system may merge signals of one kind that
/// come in quick succession; what it delivers is counted.
///
/// ```
/// use polyloop::signal::{Signal, Signals};
///
/// # fn main() -> std::io::Result<()> {
/// polyloop::run(async {
///     let mut signals = Signals::new([Signal::TERMINATE, Signal::HANGUP])?;
///     # std::process::Command::new("kill")
///     #     .args(["-HUP", &std::process::id().to_string()])
///     #     .status()?;
///     match signals.recv().await {
///         Some(Signal::HANGUP) => println!("reading the configuration again"),
///         _ => println!("ending"),
///     }
///     Ok(())
/// })?
/// # }
/// ```
#[doc(alias = "add_signal_handler")]
#[must_use = "it stops listening when it is dropped"]
pub struct Signals {
    pipe: Io<Receiver>,
    shared: Arc<Shared>,
    registered: Vec<SigId>,
}

impl Signals {
    /// Listens to the given signals, on this thread's loop.
    ///
    /// # Errors
    ///
    /// There is no loop on this thread, no pipe could be had, or a signal is one
    /// that no process can or should handle ([`InvalidInput`]): SIGKILL, SIGSTOP,
    /// SIGILL, SIGFPE, SIGSEGV.
    ///
    /// [`InvalidInput`]: io::ErrorKind::InvalidInput
    pub fn new(signals: impl IntoIterator<Item = Signal>) -> io::Result<Self> {
        let counts = signals.into_iter().map(|kind| (kind, AtomicUsize::new(0)));
        let (sender, receiver) = pipe::new()?;
        let mut this = Self {
            pipe: crate::io::register(receiver)?,
            shared: Arc::new(Shared {
                pipe: sender,
                counts: counts.collect(),
                process: std::process::id(),
            }),
            registered: Vec::new(),
        };
        for index in 0..this.shared.counts.len() {
            // On an error the drop of `this` undoes what was registered.
            let id = register(&this.shared, index)?;
            this.registered.push(id);
        }
        Ok(this)
    }

    /// Waits for the next signal; `None` only if the loop serves no I/O any more.
    ///
    /// # Cancel safety
    ///
    /// A future that is dropped has taken no signal.
    pub async fn recv(&mut self) -> Option<Signal> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Has a signal come that nobody has taken? It is taken.
    fn heard_another(&self) -> bool {
        self.shared.take().is_some()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        loop {
            if let Some(signal) = self.shared.take() {
                return Poll::Ready(Some(signal));
            }
            let mut bytes = [0; 64];
            let read = |mut pipe: &Receiver| pipe.read(&mut bytes);
            match ready!(self.pipe.poll_io(cx, Direction::Read, read)) {
                // The writing end is in `shared`, so zero cannot be the end; it
                // must not become a busy loop all the same.
                Ok(0) | Err(_) => return Poll::Ready(None),
                Ok(_) => {}
            }
        }
    }
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        Signals::poll_next(&mut self, cx)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook_registry::unregister(id);
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.shared.counts.iter().map(|(kind, _)| kind);
        f.debug_set().entries(kinds).finish()
    }
}

/// What the handler and the listener share.
struct Shared {
    pipe: Sender,
    counts: Box<[(Signal, AtomicUsize)]>,
    /// The process that listens.
    process: u32,
}

impl Shared {
    /// The handler: nothing but atomics and system calls that are allowed in
    /// one. It neither allocates nor locks nor panics.
    fn arrived(&self, index: usize) {
        if std::process::id() != self.process {
            return;
        }
        if let Some((_, count)) = self.counts.get(index) {
            count.fetch_add(1, Ordering::Release);
            // Full: see the module's head. Its error holds a number only.
            let _ = (&self.pipe).write(&[0]);
        }
    }

    /// Takes one signal that has come, in the order in which they were listed.
    fn take(&self) -> Option<Signal> {
        let one_less = |count: usize| count.checked_sub(1);
        let mut counts = self.counts.iter();
        let found = counts.find(|(_, count)| {
            count
                .fetch_update(Ordering::Acquire, Ordering::Relaxed, one_less)
                .is_ok()
        });
        found.map(|(signal, _)| *signal)
    }
}

fn register(shared: &Arc<Shared>, index: usize) -> io::Result<SigId> {
    let (signal, _) = shared.counts[index];
    if signal_hook_registry::FORBIDDEN.contains(&signal.as_raw()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{signal:?} cannot be listened to: leave it to the system"),
        ));
    }
    let shared = Arc::clone(shared);
    // SAFETY: the handler keeps to what a signal handler may do: see `arrived`.
    // The registry leaves the interrupted thread's error number as it was.
    unsafe { signal_hook_registry::register(signal.as_raw(), move || shared.arrived(index)) }
}

#[cfg(test)]
mod tests;
