//! Yield: tasks that do nothing but give the others a turn.

#[cfg(feature = "peers")]
use crate::tasks::Tokio;
use crate::tasks::{Polyloop, Tasks};
use polyloop_benches::{Plan, Scenario, Side};
use std::time::Instant;

/// One task alone, and a thousand in turn.
pub fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "yield",
            metrics: &["ns a yield, one task"],
            sides: sides![alone],
            once: false,
        },
        Scenario {
            name: "yield-1000",
            metrics: &["ns a yield, 1,000 tasks in turn"],
            sides: sides![in_turn],
            once: false,
        },
    ]
}

fn alone<R: Tasks>(plan: &Plan) -> Vec<f64> {
    yields::<R>(1, plan.scale(3_000_000))
}

fn in_turn<R: Tasks>(plan: &Plan) -> Vec<f64> {
    yields::<R>(1_000, plan.scale(3_000))
}

fn yields<R: Tasks>(tasks: u64, each: u64) -> Vec<f64> {
    R::run(async move {
        let began = Instant::now();
        let yielding = |_| {
            R::spawn(async move {
                let mut done = 0;
                while done < each {
                    R::yield_now().await;
                    done += 1;
                }
                done
            })
        };
        let tasks: Vec<_> = (0..tasks).map(yielding).collect();
        let mut done = 0;
        let expected = tasks.len() as u64 * each;
        for task in tasks {
            done += task.await.expect("the task yields and returns");
        }
        assert_eq!(done, expected);
        vec![began.elapsed().as_nanos() as f64 / done as f64]
    })
}
