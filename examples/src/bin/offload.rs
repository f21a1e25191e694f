//! A blocking call that does not hold up the loop.
//!
//! A loop runs one thing at a time: a call that blocks its thread stops every task
//! on it. `run_in_executor` makes the call on another thread and lets the task
//! wait, so that the others go on.
//!
//! ```sh
//! cargo run --bin offload
//! ```
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use polyloop::{create_task, sleep};
use polyloop_bridge::run_in_executor;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    polyloop::run(async {
        // A task that shows whether the loop is alive.
        let ticks = Rc::new(Cell::new(0));
        let counter = Rc::clone(&ticks);
        let ticking = create_task(async move {
            loop {
                sleep(Duration::from_millis(5)).await;
                counter.update(|ticks| ticks + 1);
            }
        })
        .abort_on_drop();

        slow_call();
        println!("called on the loop:    {} ticks meanwhile", ticks.get());
        assert_eq!(ticks.get(), 0);

        let answer = run_in_executor(None, slow_call).await?;
        println!("called in an executor: {} ticks meanwhile", ticks.get());
        assert!(ticks.get() > 0);
        println!("the answer is {answer}");

        // A panic on the other thread comes back as an error.
        let failed = run_in_executor(None, || panic!("the disk is gone")).await;
        println!(
            "a call that failed:    {}",
            failed.map(|()| "fine").expect_err("it panicked")
        );
        drop(ticking);
        Ok(())
    })?
}

/// Stands for a library that knows nothing of loops.
fn slow_call() -> u32 {
    thread::sleep(Duration::from_millis(200));
    42
}
