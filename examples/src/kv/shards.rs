//! The shards, one on each loop of a group, and the way to them.

use super::entry::Millis;
use super::lane::Lane;
use super::store::Store;
use polyloop::sync::Event;
use polyloop_bridge::shard::{Here, Invocation};
use polyloop_bridge::{LoopGroup, Sharded};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Keys that are removed at a time when theirs has come.
const SWEEP: usize = 256;
/// The rest between two sweeps, at least; expired keys are never seen, so this
/// is about memory only.
const REST: Duration = Duration::from_millis(50);

/// The keys of one loop.
pub struct Shard {
    store: RefCell<Store>,
    began: Instant,
    /// Set while there are keys that will expire.
    expiring: Event,
}

impl Shard {
    fn new(limit: usize) -> Self {
        Self {
            store: RefCell::new(Store::new(limit)),
            began: polyloop::time::now(),
            expiring: Event::new(),
        }
    }

    fn now(&self) -> Millis {
        let since = polyloop::time::now().saturating_duration_since(self.began);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Does a lane's steps; see [`Lane::run`].
    pub fn run(&self, lane: &mut Lane, input: Option<&[u8]>) {
        let mut store = self.store.borrow_mut();
        lane.run(&mut store, input, self.now());
        if store.next_expiry().is_some() {
            self.expiring.set();
        }
    }

    /// Removes keys whose time has come, for as long as the loop runs.
    async fn sweep(&self) {
        loop {
            self.expiring.wait().await;
            let now = self.now();
            let (swept, next) = {
                let mut store = self.store.borrow_mut();
                (store.sweep(now, SWEEP), store.next_expiry())
            };
            match next {
                None => self.expiring.clear(),
                // The others on this loop have their turn first.
                Some(_) if swept == SWEEP => polyloop::yield_now().await,
                Some(next) => {
                    let until = Duration::from_millis(next.saturating_sub(now));
                    // Not for ever: a key that expires sooner may come.
                    polyloop::sleep(until.clamp(REST, 20 * REST)).await;
                }
            }
        }
    }
}

/// Makes the shard of every loop; `limit` bytes for all together.
///
/// # Errors
/// A loop's that has ended already.
pub fn start(group: &LoopGroup, limit: usize) -> Result<Sharded<Shard>, String> {
    let each = limit / group.len();
    let shards = Sharded::start(group, move |_| async move { Shard::new(each) });
    let shards = shards.result().map_err(|error| error.to_string())?;
    for number in 0..shards.len() {
        // Each runs for as long as its loop does.
        drop(shards.invoke_on(number, |shard| async move { shard.sweep().await }));
    }
    Ok(shards)
}

/// The way to every shard, from a connection on one of their loops.
pub struct Shards {
    all: Sharded<Shard>,
    /// The shard of the connection's own loop.
    pub home: usize,
    local: Here<Shard>,
}

impl Shards {
    /// For a connection on the running loop; `None` on a loop without a shard.
    #[must_use]
    pub fn here(all: Sharded<Shard>) -> Option<Self> {
        let here = polyloop::current_loop();
        let home = (0..all.len()).find(|number| *all.home(*number) == here)?;
        let local = all.try_local()?;
        Some(Self { all, home, local })
    }

    /// Does the steps of the home shard's lane, here and now.
    pub fn run_here(&self, lane: &mut Lane, input: &[u8]) {
        self.local.run(lane, Some(input));
    }

    /// Sends a lane to its shard, which sends it back with the answers.
    pub fn send(&self, shard: usize, mut lane: Lane) -> Invocation<Lane> {
        self.all.invoke_on(shard, |shard| {
            shard.run(&mut lane, None);
            std::future::ready(lane)
        })
    }
}
