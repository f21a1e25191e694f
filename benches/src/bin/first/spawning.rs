//! Spawn and join: one task at a time, and ten thousand at once.

#[cfg(feature = "peers")]
use crate::tasks::Tokio;
use crate::tasks::{Polyloop, Tasks};
use polyloop_benches::{Plan, Scenario, Side};
use std::time::Instant;

/// Tasks alive at once in the second scenario.
const CROWD: u64 = 10_000;

/// One at a time, and a crowd.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "spawn",
            metrics: &["ns a spawn and join, one at a time"],
            sides: sides![one_at_a_time],
            once: false,
        },
        Scenario {
            name: "spawn-10000",
            metrics: &["ns a spawn and join, 10,000 at once"],
            sides: sides![crowd],
            once: false,
        },
    ]
}

fn one_at_a_time<R: Tasks>(plan: &Plan) -> Vec<f64> {
    let count = plan.scale(1_000_000);
    R::run(async move {
        let began = Instant::now();
        let mut sum = 0;
        for value in 0..count {
            sum += R::spawn(async move { value }).await.expect("it returns");
        }
        finished(began, count, sum)
    })
}

fn crowd<R: Tasks>(plan: &Plan) -> Vec<f64> {
    let rounds = plan.scale(100);
    R::run(async move {
        let mut tasks = Vec::with_capacity(CROWD as usize);
        let began = Instant::now();
        let mut sum = 0;
        for round in 0..rounds {
            let values = round * CROWD..(round + 1) * CROWD;
            tasks.extend(values.map(|value| R::spawn(async move { value })));
            for task in tasks.drain(..) {
                sum += task.await.expect("it returns");
            }
        }
        finished(began, rounds * CROWD, sum)
    })
}

/// Every task gave its own number, or the sum is not right.
fn finished(began: Instant, count: u64, sum: u64) -> Vec<f64> {
    let took = began.elapsed();
    assert_eq!(sum, count * (count - 1) / 2);
    vec![took.as_nanos() as f64 / count as f64]
}
