//! Yield: tasks that do nothing but give the others a turn.

use super::{Run, Scenario};
use crate::runtime::{Runtime, Setup};
use crate::work::{Answer, Work};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "yield-1",
        about: "one task yields",
        metrics: &["ns a yield"],
        needs: &[],
        weight: 1.0,
    },
    Scenario {
        name: "yield-1000",
        about: "1,000 tasks yield in turn",
        metrics: &["ns a yield"],
        needs: &[],
        weight: 1.0,
    },
];

pub(super) fn of<R: Runtime>() -> [(&'static str, Run); 2] {
    [("yield-1", alone::<R>), ("yield-1000", in_turn::<R>)]
}

fn alone<R: Runtime>(work: &Work) -> Answer {
    yields::<R>(work, 1, 10_000)
}

fn in_turn<R: Runtime>(work: &Work) -> Answer {
    yields::<R>(work, 1_000, 500)
}

fn yields<R: Runtime>(work: &Work, tasks: u64, each: u64) -> Answer {
    let mut pace = work.pace();
    R::start(Setup::default(), async move {
        while pace.goes_on() {
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
            let joined: Vec<_> = (0..tasks).map(yielding).collect();
            let mut done = 0;
            for task in joined {
                done += task.await;
            }
            assert_eq!(done, tasks * each);
            pace.did(done);
        }
        Answer::of([pace.ns_each()])
    })
}
