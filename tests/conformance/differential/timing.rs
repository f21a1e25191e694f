//! sleep and timeouts.

use super::{Say, ms, outcome, scripts};
use polyloop::{create_task, sleep, timeout, yield_now};

scripts! {
    sleeps_end_in_order_of_time equal_sleeps_end_in_order sleep_takes_more_than_a_turn
    timeout_in_time timeout_expires timeout_of_something_ready timeout_of_zero nested_timeouts
    outer_timeout_first cancel_beats_the_timeout
}

async fn sleeps_end_in_order_of_time(say: Say) {
    let made = [30, 10, 20].map(|delay| {
        let say = say.clone();
        create_task(async move {
            sleep(ms(delay)).await;
            say.line(format!("{delay} at {}", say.ms()));
        })
    });
    for task in made {
        task.await.unwrap();
    }
}

async fn equal_sleeps_end_in_order(say: Say) {
    let made = [0, 1, 2].map(|n| {
        let line = say.later(n);
        create_task(async move {
            sleep(ms(10)).await;
            line();
        })
    });
    for task in made {
        task.await.unwrap();
    }
}

async fn sleep_takes_more_than_a_turn(say: Say) {
    let slept = say.later("slept");
    let task = create_task(async move {
        sleep(ms(10)).await;
        slept();
    });
    for turn in 0..3 {
        yield_now().await;
        say.line(format!("turn {turn}"));
    }
    task.await.unwrap();
}

async fn timeout_in_time(say: Say) {
    let body = async {
        sleep(ms(10)).await;
        "value"
    };
    let value = timeout(ms(20), body).await.unwrap();
    say.line(format!("{value} at {}", say.ms()));
}

async fn timeout_expires(say: Say) {
    struct Gone(Say);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.line(format!("gone at {}", self.0.ms()));
        }
    }
    let gone = Gone(say.clone());
    let body = async move {
        let _gone = gone;
        sleep(ms(10_000)).await;
    };
    if timeout(ms(10), body).await.is_err() {
        say.line(format!("timed out at {}", say.ms()));
    }
}

async fn timeout_of_something_ready(say: Say) {
    say.line(timeout(ms(10), async { "value" }).await.unwrap());
}

/// adapted: a time limit of zero polls the future once, so that what is ready is
///   not lost; asyncio does not start it
async fn timeout_of_zero(say: Say) {
    let polled = say.later("polled");
    let body = async move {
        polled();
        sleep(ms(10)).await;
    };
    if timeout(ms(0), body).await.is_err() {
        say.line(format!("timed out at {}", say.ms()));
    }
}

async fn nested_timeouts(say: Say) {
    let inner = async {
        if timeout(ms(10), sleep(ms(10_000))).await.is_err() {
            say.line(format!("inner at {}", say.ms()));
        }
        sleep(ms(10_000)).await;
    };
    if timeout(ms(20), inner).await.is_err() {
        say.line(format!("outer at {}", say.ms()));
    }
}

async fn outer_timeout_first(say: Say) {
    let inner = async {
        if timeout(ms(20), sleep(ms(10_000))).await.is_err() {
            say.line(format!("inner at {}", say.ms()));
        }
    };
    if timeout(ms(10), inner).await.is_err() {
        say.line(format!("outer at {}", say.ms()));
    }
}

async fn cancel_beats_the_timeout(say: Say) {
    let inside = say.clone();
    let task = create_task(async move {
        if timeout(ms(20), sleep(ms(10_000))).await.is_err() {
            inside.line("timed out");
        }
        "done"
    });
    sleep(ms(10)).await;
    task.cancel();
    let ended = outcome(task.await);
    say.line(format!("{ended} at {}", say.ms()));
    sleep(ms(20)).await;
    say.line(format!("main at {}", say.ms()));
}
