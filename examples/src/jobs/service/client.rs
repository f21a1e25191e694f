//! How the other loops reach the desk: they submit a coroutine to its loop.

use std::cell::RefCell;
use std::rc::Rc;

use hyper::body::Bytes;
use polyloop::LoopHandle;
use polyloop_bridge::channel::Receiver;
use polyloop_bridge::run_coroutine_threadsafe;

use super::desk::{Desk, Refused};
use super::look::Pages;
use crate::jobs::http::view::StatusView;
use crate::jobs::model::{RunId, Status};

thread_local! {
    /// The desk of this thread's loop: what a submitted coroutine works on.
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

/// What is on the desk's thread.
#[derive(Clone)]
pub struct Here {
    /// The desk.
    pub desk: Rc<Desk>,
    /// The pages that are open.
    pub pages: Rc<Pages>,
}

/// While it lives, its thread's loop answers [`DeskClient`]s.
pub struct Open(());

impl Here {
    /// Makes this thread the desk's.
    #[must_use]
    pub fn open(self) -> Open {
        HERE.set(Some(self));
        Open(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        HERE.take();
    }
}

/// The desk, seen from any loop.
#[derive(Clone)]
pub struct DeskClient {
    home: LoopHandle,
}

/// The service is ending and the desk has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl DeskClient {
    /// A client of the desk on the running loop.
    #[must_use]
    pub fn new() -> Self {
        Self {
            home: polyloop::current_loop(),
        }
    }

    /// [`Desk::status`].
    ///
    /// # Errors
    ///
    /// Here and below: the desk has gone.
    pub async fn status(&self) -> Result<StatusView, Gone> {
        self.ask(|here| async move { here.desk.status().await })
            .await
    }

    /// [`Desk::run_now`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not take the request back.
    ///
    /// # Errors
    ///
    /// As for [`DeskClient::status`]; the desk's own answer is inside.
    pub async fn run_now(&self, name: String) -> Result<Result<(RunId, Status), Refused>, Gone> {
        self.ask(|here| async move { here.desk.run_now(&name).await })
            .await
    }

    /// [`Desk::cancel`].
    ///
    /// # Errors
    ///
    /// As for [`DeskClient::status`].
    pub async fn cancel(&self, id: RunId) -> Result<bool, Gone> {
        self.ask(move |here| async move { here.desk.cancel(id) })
            .await
    }

    /// [`Pages::open`], with a first message on its way.
    ///
    /// # Errors
    ///
    /// As for [`DeskClient::status`].
    pub async fn open_page(&self) -> Result<Option<Receiver<Bytes>>, Gone> {
        self.ask(|here| async move {
            let page = here.pages.open();
            here.desk.changed.set();
            page
        })
        .await
    }

    async fn ask<F, A, T>(&self, question: F) -> Result<T, Gone>
    where
        F: FnOnce(Here) -> A + Send + 'static,
        A: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let answer = run_coroutine_threadsafe(&self.home, move || async move {
            let here = HERE.with_borrow(Clone::clone)?;
            Some(question(here).await)
        });
        answer.await.ok().flatten().ok_or(Gone)
    }
}

impl Default for DeskClient {
    fn default() -> Self {
        Self::new()
    }
}
