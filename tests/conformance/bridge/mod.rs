//! The same tests of primitives, on those that cross threads.

use std::sync::Arc as Shared;

use polyloop_bridge::sync as subject;

#[path = "../locks/barrier.rs"]
mod barrier;
#[path = "../locks/barrier_reset.rs"]
mod barrier_reset;
#[path = "../locks/condition.rs"]
mod condition;
#[path = "../locks/condition_cancel.rs"]
mod condition_cancel;
#[path = "../locks/event.rs"]
mod event;
#[path = "../locks/lock.rs"]
mod lock;
#[path = "../queues/put.rs"]
mod put;
#[path = "../queues/queue.rs"]
mod queue;
#[path = "../queues/queue_kinds.rs"]
mod queue_kinds;
#[path = "../locks/semaphore.rs"]
mod semaphore;
