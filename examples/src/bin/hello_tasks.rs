//! Waiting one after the other, and waiting at the same time.
//!
//! `await` waits until the thing is done; `create_task` starts it and goes on. With
//! three calls of 10, 5 and 3 seconds that is the difference between 18 and 10.
//!
//! The loop has a virtual clock: when nothing is left to do but to wait, it jumps
//! to the next deadline. The times below are exact, and the program takes no time.
//!
//! ```sh
//! cargo run --bin hello_tasks
//! ```
#![forbid(unsafe_code)]

use std::time::Duration;

use polyloop::time::{VirtualClock, now};
use polyloop::{EventLoop, create_task, sleep};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut looped = EventLoop::builder().clock(VirtualClock::new()).build()?;
    looped.run_until_complete(async {
        let begin = now();
        for (name, seconds) in CALLS {
            call(name, seconds).await;
        }
        let one_by_one = now() - begin;
        println!("await, await, await: {} s\n", one_by_one.as_secs());

        let begin = now();
        // All three have started before the first one is waited for.
        let tasks = CALLS.map(|(name, seconds)| create_task(call(name, seconds)));
        for task in tasks {
            // An error would be a panic inside the call, or its cancellation.
            task.await?;
        }
        let together = now() - begin;
        println!("create_task:         {} s", together.as_secs());

        assert_eq!((one_by_one.as_secs(), together.as_secs()), (18, 10));
        Ok(())
    })?
}

async fn call(name: &str, seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
    println!("  {name} has answered after {seconds} s");
}

const CALLS: [(&str, u64); 3] = [("the archive", 10), ("the shop", 5), ("the cache", 3)];
