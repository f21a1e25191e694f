//! Coroutines and callbacks sent to a loop from other threads.

mod call_handle;
mod call_soon;
mod free_threading;
mod run_coroutine;

use polyloop::{EventLoop, LoopHandle};
use polyloop_bridge::channel::oneshot;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A loop on a thread of its own, until it is dropped.
pub struct Running {
    pub handle: LoopHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub fn start() -> Self {
        let (tell, told) = oneshot::channel();
        let thread = thread::spawn(move || {
            let builder = EventLoop::builder().exception_handler(|_| {});
            let mut looped = builder.build().expect("descriptors to spare");
            let _ = tell.send(looped.handle());
            looped.run_forever().expect("not nested");
            looped.close(Duration::ZERO);
        });
        Self {
            handle: told.recv_blocking().expect("the loop's handle"),
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
