//! What yield and spawn need of a runtime.

use std::fmt::Debug;
use std::future::Future;

/// A single-threaded runtime with tasks.
pub trait Tasks {
    /// A task's handle.
    type Joined<T: Send + 'static>: Future<Output = Result<T, Self::Failure>>;
    /// Why a task gave no value.
    type Failure: Debug;

    /// Makes the runtime and runs `main` on it.
    fn run<F: Future>(main: F) -> F::Output;
    /// Makes a task.
    fn spawn<F>(future: F) -> Self::Joined<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;
    /// Gives the other tasks a turn.
    fn yield_now() -> impl Future<Output = ()> + Send;
}

/// polyloop's side.
pub struct Polyloop;

impl Tasks for Polyloop {
    type Joined<T: Send + 'static> = polyloop::Task<T>;
    type Failure = polyloop::TaskError;

    fn run<F: Future>(main: F) -> F::Output {
        polyloop::run(main).expect("a bench machine has descriptors to spare")
    }

    fn spawn<F>(future: F) -> polyloop::Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        polyloop::create_task(future)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        polyloop::yield_now()
    }
}

/// tokio's side.
#[cfg(feature = "peers")]
pub struct Tokio;

#[cfg(feature = "peers")]
impl Tasks for Tokio {
    type Joined<T: Send + 'static> = tokio::task::JoinHandle<T>;
    type Failure = tokio::task::JoinError;

    fn run<F: Future>(main: F) -> F::Output {
        current_thread().block_on(main)
    }

    fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(future)
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        tokio::task::yield_now()
    }
}

/// tokio's current-thread runtime, with sockets.
#[cfg(feature = "peers")]
pub fn current_thread() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_io()
        .build()
        .expect("a bench machine has descriptors to spare")
}
