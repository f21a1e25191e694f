//! The shards, one on each loop of a group, and the way to them.

use super::lane::Lane;
use super::store::{Millis, Store};
use polyloop::LoopHandle;
use polyloop::sync::Event;
use polyloop_bridge::{LoopGroup, Submission, run_coroutine_threadsafe};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Keys that are removed at a time when theirs has come.
const SWEEP: usize = 256;
/// The rest between two sweeps, at least; expired keys are never seen, so this
/// is about memory only.
const REST: Duration = Duration::from_millis(50);

thread_local! {
    static SHARD: RefCell<Option<Rc<Shard>>> = const { RefCell::new(None) };
}

/// The keys of the calling thread's loop.
pub struct Shard {
    store: RefCell<Store>,
    began: Instant,
    /// Set while there are keys that will expire.
    expiring: Event,
}

impl Shard {
    fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self {
            store: RefCell::new(Store::new(limit)),
            began: polyloop::time::now(),
            expiring: Event::new(),
        })
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
    async fn sweep(self: Rc<Self>) {
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

/// The way to every shard, from any of the group's loops.
#[derive(Clone)]
pub struct Shards {
    handles: Rc<[LoopHandle]>,
    /// The shard of the loop that this value is on.
    pub home: usize,
    local: Rc<Shard>,
}

impl Shards {
    /// Makes the shard of every loop; `limit` bytes for all together.
    ///
    /// # Errors
    /// A loop's that has ended already.
    pub fn start(group: &LoopGroup, limit: usize) -> Result<(), String> {
        let each = limit / group.len();
        let started = group.on_each(move |_| async move {
            let shard = Shard::new(each);
            drop(polyloop::create_task(shard.clone().sweep()));
            SHARD.with_borrow_mut(|place| *place = Some(shard));
        });
        let outcome: Result<Vec<()>, _> = started.results().into_iter().collect();
        outcome.map(drop).map_err(|error| error.to_string())
    }

    /// For a connection on the calling thread's loop; `None` on a thread without
    /// a shard.
    #[must_use]
    pub fn here(handles: &[LoopHandle]) -> Option<Self> {
        let here = polyloop::current_loop().id();
        Some(Self {
            handles: handles.into(),
            home: handles.iter().position(|handle| handle.id() == here)?,
            local: local()?,
        })
    }

    /// Does the steps of the home shard's lane, here and now.
    pub fn run_here(&self, lane: &mut Lane, input: &[u8]) {
        self.local.run(lane, Some(input));
    }

    /// Sends a lane to its shard, which sends it back with the answers.
    pub fn send(&self, shard: usize, mut lane: Lane) -> Submission<Lane> {
        run_coroutine_threadsafe(&self.handles[shard], move || {
            if let Some(shard) = local() {
                shard.run(&mut lane, None);
            }
            std::future::ready(lane)
        })
    }
}

fn local() -> Option<Rc<Shard>> {
    SHARD.with_borrow(Clone::clone)
}
