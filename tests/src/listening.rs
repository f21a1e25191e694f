//! A loop that tells what it was told of, and values whose end is seen: some panic,
//! some are counted.

use polyloop::EventLoop;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What the exception handler was told.
pub type Told = Rc<RefCell<Vec<String>>>;

/// A loop whose exception handler writes to the list.
///
/// # Panics
/// If the system refuses the loop a descriptor.
pub fn listening() -> (EventLoop, Told) {
    let told = Told::default();
    let inner = told.clone();
    let builder = EventLoop::builder().exception_handler(move |context| {
        let message = context.panic_message().unwrap_or("no panic");
        inner.borrow_mut().push(message.to_owned());
    });
    (builder.build().expect("descriptors to spare"), told)
}

/// Panics with its message when it is dropped.
pub struct Bomb(pub &'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("{}", self.0);
        }
    }
}

/// Counts itself as long as it lives.
#[derive(Debug)]
pub struct Alive(Rc<Cell<usize>>);

impl Alive {
    /// One more.
    pub fn new(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
