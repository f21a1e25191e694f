//! Spawn and join: one task at a time, and ten thousand at once.

use super::{Run, Scenario};
use crate::runtime::{Runtime, Setup};
use crate::work::{Answer, Work};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "spawn-1",
        about: "a task is spawned and joined, then the next",
        metrics: &["ns a spawn and join"],
        needs: &[],
        weight: 1.0,
    },
    Scenario {
        name: "spawn-10000",
        about: "10,000 tasks are spawned, then all are joined",
        metrics: &["ns a spawn and join"],
        needs: &[],
        weight: 1.0,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 2] {
    [("spawn-1", one_at_a_time::<R>), ("spawn-10000", crowd::<R>)]
}

fn one_at_a_time<R: Runtime>(work: &Work) -> Answer {
    spawns::<R>(work, 1, 1_000)
}

fn crowd<R: Runtime>(work: &Work) -> Answer {
    spawns::<R>(work, 10_000, 1)
}

/// `rounds` times `at_once` tasks are a batch.
fn spawns<R: Runtime>(work: &Work, at_once: u64, rounds: u64) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        let mut tasks = Vec::with_capacity(at_once as usize);
        while pace.goes_on() {
            let mut sum = 0;
            for round in 0..rounds {
                let values = round * at_once..(round + 1) * at_once;
                tasks.extend(values.map(|value| R::spawn(async move { value })));
                for task in tasks.drain(..) {
                    sum += task.await;
                }
            }
            let count = rounds * at_once;
            // Every task gave its own number, or the sum is not right.
            assert_eq!(sum, count * (count - 1) / 2);
            pace.did(count);
        }
        Answer::of([pace.ns_each()])
    })
}
