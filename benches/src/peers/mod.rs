//! Who is measured: one short module a runtime, and the list of them.
//!
//! A runtime's module implements [`Runtime`], and its line in [`all`] is
//! `runtime::<Type>(about)`. What is no Rust runtime (the hand-written limit,
//! channels of other crates, Python) has a [`Peer`] of its own making.

#[cfg(feature = "peers")]
mod arty;
#[cfg(feature = "peers")]
mod assume_send;
#[cfg(feature = "peers")]
mod channels;
#[cfg(feature = "peers")]
mod compio;
#[cfg(feature = "peers")]
mod glommio;
mod limit;
#[cfg(feature = "peers")]
mod local_sync;
#[cfg(feature = "peers")]
mod mailbox;
#[cfg(feature = "peers")]
mod monoio;
mod polyloop;
mod python;
#[cfg(feature = "peers")]
mod runite;
#[cfg(feature = "peers")]
mod smol;
#[cfg(feature = "peers")]
mod tokio_current;
#[cfg(feature = "peers")]
mod tokio_local;
#[cfg(feature = "peers")]
mod tokio_multi;

#[cfg(all(test, feature = "peers"))]
mod tests;

pub use python::version as python_version;

use crate::machine::Calls;
use crate::runtime::{Part, Runtime};
use crate::scenario::channels::{Channel, of_channel};
use crate::scenario::{self, Run, Scenario};

/// One side of the comparison.
pub struct Peer {
    /// Its name on the command line and in the tables.
    pub name: &'static str,
    /// Version and kind, for the report.
    pub about: String,
    /// Why a part is not there; `None`: it is.
    pub lacks: fn(Part) -> Option<String>,
    /// Its scenarios, by their names.
    pub runs: Vec<(&'static str, Run)>,
}

/// Why there is no figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Without {
    /// The scenario makes no sense for it; nothing is said.
    NotMeant,
    /// It cannot; the reason is shown.
    Cannot(String),
}

impl Peer {
    /// What runs a scenario, or why nothing does.
    ///
    /// # Errors
    /// There is nothing that runs it.
    pub fn run(&self, scenario: &Scenario) -> Result<Run, Without> {
        let mut runs = self.runs.iter();
        let Some((_, run)) = runs.find(|(name, _)| *name == scenario.name) else {
            return Err(Without::NotMeant);
        };
        let needs = [Part::Tasks]
            .into_iter()
            .chain(scenario.needs.iter().copied());
        let lacks = |part| match part {
            Part::CountedCalls => Calls::lacks(),
            part => (self.lacks)(part),
        };
        match needs.into_iter().find_map(lacks) {
            Some(reason) => Err(Without::Cannot(reason)),
            None => Ok(*run),
        }
    }
}

/// A runtime as a peer.
fn runtime<R: Runtime>(about: impl Into<String>) -> Peer {
    Peer {
        name: R::NAME,
        about: about.into(),
        lacks: R::lacks,
        runs: scenario::of::<R>(),
    }
}

impl Peer {
    /// With the scenarios of a channel, which is not part of a runtime.
    fn with_channel<C: Channel>(mut self) -> Self {
        self.runs.extend(of_channel::<C>());
        self
    }
}

/// Everybody, polyloop first.
pub fn all() -> Vec<Peer> {
    let mut all = vec![
        runtime::<polyloop::Polyloop>("this repository's, one loop a thread")
            .with_channel::<polyloop::Bridge>(),
        // Beside the crates whose channels block.
        Peer {
            name: "polyloop-blocking",
            about: "this repository's channel, its ends blocking their threads".to_owned(),
            lacks: |_| None,
            runs: of_channel::<polyloop::BlockingBridge>().to_vec(),
        },
        #[cfg(feature = "peers")]
        runtime::<tokio_current::TokioCurrent>("tokio 1.54, current-thread runtime")
            .with_channel::<channels::Tokio>(),
        #[cfg(feature = "peers")]
        runtime::<tokio_local::TokioLocal>("tokio 1.54, LocalRuntime"),
        #[cfg(feature = "peers")]
        runtime::<tokio_multi::TokioMulti>("tokio 1.54, multi-thread runtime"),
        #[cfg(feature = "peers")]
        runtime::<smol::Smol>("smol 2.0, one thread and that of its reactor"),
        #[cfg(feature = "peers")]
        runtime::<monoio::Monoio<monoio::Epoll>>("monoio 0.2, epoll"),
        #[cfg(feature = "peers")]
        runtime::<monoio::Monoio<monoio::Uring>>("monoio 0.2, io_uring"),
        #[cfg(feature = "peers")]
        runtime::<glommio::Glommio>("glommio 0.9, io_uring"),
        #[cfg(feature = "peers")]
        runtime::<compio::Compio>("compio 0.19, io_uring"),
        #[cfg(feature = "peers")]
        runtime::<runite::Runite>("runite 0.3, io_uring"),
        #[cfg(feature = "peers")]
        runtime::<arty::Arty>("arty 0.5, one worker, no I/O"),
    ];
    all.extend([python::asyncio(), python::uvloop()]);
    #[cfg(feature = "peers")]
    all.extend(channels::all());
    all.extend([polyloop::parked(), limit::limit(), limit::spin()]);
    #[cfg(target_os = "linux")]
    all.push(limit::eventfd());
    all
}
