//! The bargain of an executor's workers under a scheduler that tries thousands of
//! orders. Code and models are the bridge's own; shuttle's lock and atomics stand
//! in the place of its.
#![forbid(unsafe_code)]

use bargain_models as models;
use shuttle::{check_pct, check_random};

#[path = "../../bridge/src/executor/bargain.rs"]
#[allow(dead_code, reason = "a pool asks for more than these tests")]
mod bargain;
#[path = "../../bridge/src/executor/bargain_family.rs"]
mod bargain_family;
#[path = "../../bridge/src/executor/bargain_models.rs"]
mod bargain_models;

#[path = "shuttle/mutex.rs"]
mod mutex;
mod primitives {
    pub(super) use crate::mutex::Mutex;
    pub(super) use shuttle::sync::atomic::{AtomicUsize, fence};
    pub(super) use shuttle::{sync, thread};

    /// shuttle's atomics are sequentially consistent.
    pub(super) fn fence_after_claim() {}
}

fn in_many_orders(model: fn()) {
    check_random(model, 3_000);
    check_pct(model, 3_000, 3);
}

#[test]
fn trap_010_064_every_job_is_run() {
    in_many_orders(|| models::every_job_is_run(2, 3, 3));
}

#[test]
fn a_worker_that_leaves_misses_no_job() {
    in_many_orders(|| models::a_worker_that_leaves_misses_no_job(2, 3, 3));
}

#[test]
fn a_start_that_fails_strands_no_job() {
    use models::a_start_that_fails_strands_no_job as strands_none;
    in_many_orders(|| strands_none(|start| start % 2 == 0, 3, 3, 3));
    // Few jobs, or the next one wakes who slept over the last.
    in_many_orders(|| strands_none(|start| start == 1, 2, 1, 2));
}

#[test]
fn jobs_run_beside_each_other() {
    in_many_orders(models::jobs_run_beside_each_other);
}

#[test]
fn a_close_leaves_nothing() {
    in_many_orders(|| models::a_close_leaves_nothing(2, 4));
}

#[test]
fn who_blocks_is_stood_in_for() {
    in_many_orders(models::who_blocks_is_stood_in_for);
}

#[test]
fn the_last_to_block_is_told() {
    in_many_orders(models::the_last_to_block_is_told);
    in_many_orders(models::who_is_answered_is_not_the_last_to_block);
}

#[test]
fn a_wait_that_ends_elsewhere_keeps_the_queue() {
    in_many_orders(models::a_wait_that_ends_elsewhere_keeps_the_queue);
}
