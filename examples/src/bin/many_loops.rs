//! Work for a loop of one's choice, sent from a thread that has none.
//!
//! A `LoopGroup` runs loops on threads of their own. `run_coroutine_threadsafe`
//! sends a closure to one of them; the future that it makes lives and dies there,
//! so it may hold what no other thread could: an `Rc`, say. The caller gets a
//! `Submission`, to block on here, or to await on any other loop.
//!
//! ```sh
//! cargo run --bin many_loops
//! ```
#![forbid(unsafe_code)]

use std::rc::Rc;
use std::time::Duration;

use polyloop::{current_loop, sleep};
use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let group = LoopGroup::builder().loops(4).build()?;

    // One piece of work for each loop, chosen by its number.
    let submissions: Vec<_> = (0..4)
        .map(|number| {
            run_coroutine_threadsafe(group.handle(number), move || async move {
                let squares: Rc<Vec<usize>> = Rc::new((0..=number).map(|n| n * n).collect());
                sleep(Duration::from_millis(10)).await;
                (
                    current_loop().name().to_owned(),
                    squares.iter().sum::<usize>(),
                )
            })
        })
        .collect();
    let mut sums = Vec::new();
    for submission in submissions {
        // This thread has no loop of its own, so it may block.
        let (name, sum) = submission.result()?;
        println!("{name}: the squares add up to {sum}");
        sums.push(sum);
    }
    assert_eq!(sums, [0, 1, 5, 14]);

    // A panic stays on its loop: it comes back as an error, and the loop goes on.
    let broken = run_coroutine_threadsafe(group.next(), || async { panic!("not today") });
    let error = broken
        .result()
        .map(|()| "nothing")
        .expect_err("it panicked");
    println!("and one that failed: {error}");

    let report = group.shutdown(Duration::from_secs(1));
    println!("{report}");
    Ok(())
}
