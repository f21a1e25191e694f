//! The models of the bargain under loom. What takes more than two preemptions to
//! go wrong is shuttle's, in the integration tests.

use super::bargain_models as models;

#[test]
fn loom_trap_064_every_job_is_run() {
    loom::model(|| models::every_job_is_run(1, 1, 1));
}

#[test]
fn loom_a_job_finds_the_second_worker() {
    loom::model(|| models::every_job_is_run(2, 0, 2));
}

#[test]
fn loom_a_worker_that_leaves_misses_no_job() {
    loom::model(|| models::a_worker_that_leaves_misses_no_job(1, 1, 1));
}

#[test]
fn loom_a_start_that_fails_strands_no_job() {
    loom::model(|| models::a_start_that_fails_strands_no_job(|start| start == 0, 1, 1, 1));
}

#[test]
fn loom_jobs_run_beside_each_other() {
    loom::model(models::jobs_run_beside_each_other);
}

#[test]
fn loom_a_close_leaves_nothing() {
    loom::model(|| models::a_close_leaves_nothing(1, 1));
}

#[test]
fn loom_who_blocks_is_stood_in_for() {
    loom::model(models::who_blocks_is_stood_in_for);
}

#[test]
fn loom_the_last_to_block_is_told() {
    loom::model(models::the_last_to_block_is_told);
}

#[test]
fn loom_a_wait_that_ends_elsewhere_keeps_the_queue() {
    loom::model(models::a_wait_that_ends_elsewhere_keeps_the_queue);
}
