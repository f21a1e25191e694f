//! The run history as the loops see it: the same calls, awaited.

use std::sync::Arc;

use polyloop_bridge::{ThreadPoolExecutor, run_in_executor};

use crate::jobs::model::{Outcome, Run, RunId};
use crate::jobs::store::{NewRun, Store, StoreError};

/// A run history whose calls are made one after the other on a thread of its own.
///
/// One thread and not several: SQLite has one writer anyway, and a run's end can
/// then not overtake its beginning.
#[derive(Clone)]
pub struct History {
    store: Arc<Store>,
    thread: ThreadPoolExecutor,
}

impl History {
    /// Takes an open store and the executor, of one worker, for its calls.
    #[must_use]
    pub fn new(store: Store, thread: ThreadPoolExecutor) -> Self {
        Self {
            store: Arc::new(store),
            thread,
        }
    }

    /// [`Store::insert`].
    ///
    /// # Cancel safety
    ///
    /// Here and below: a call that has begun is finished even if nobody awaits it.
    ///
    /// # Errors
    ///
    /// Here and below: those of the store, and that its thread is gone.
    pub async fn insert(&self, run: NewRun) -> Result<RunId, StoreError> {
        self.call(move |store| store.insert(&run)).await
    }

    /// [`Store::start`].
    ///
    /// # Errors
    ///
    /// As for [`History::insert`].
    pub async fn start(
        &self,
        id: RunId,
        started_ms: i64,
        loop_index: i64,
    ) -> Result<(), StoreError> {
        self.call(move |store| store.start(id, started_ms, loop_index))
            .await
    }

    /// [`Store::finish`].
    ///
    /// # Errors
    ///
    /// As for [`History::insert`].
    pub async fn finish(
        &self,
        id: RunId,
        finished_ms: i64,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        self.call(move |store| store.finish(id, finished_ms, &outcome))
            .await
    }

    /// [`Store::runs`].
    ///
    /// # Errors
    ///
    /// As for [`History::insert`].
    pub async fn runs(&self, job: Option<String>, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.call(move |store| store.runs(job.as_deref(), limit))
            .await
    }

    /// [`Store::run`].
    ///
    /// # Errors
    ///
    /// As for [`History::insert`].
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.call(move |store| store.run(id)).await
    }

    async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(&self.store);
        match run_in_executor(Some(&self.thread), move || call(&store)).await {
            Ok(result) => result,
            Err(error) => Err(StoreError::from(error)),
        }
    }
}
