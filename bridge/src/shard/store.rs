//! Where a loop keeps the values that other threads have handles to.
//!
//! A value is made, used and dropped by code that runs inside its loop and finds
//! it by its number; a handle has the number and no address. So nothing here is
//! unsafe, whatever the value is, and none outlives its loop: the store is a
//! loop-local, and is emptied when the loop is closed.
#![forbid(unsafe_code)]

use crate::channel::oneshot;
use crate::waiters::each_then_panic;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::mem::take;
use std::ops::Deref;
use std::rc::Rc;

polyloop::loop_local! {
    static KEPT: Kept = Kept::default();
}

#[derive(Default)]
struct Kept {
    next: Cell<u64>,
    values: RefCell<BTreeMap<u64, Rc<dyn Any>>>,
}

/// The loop is being closed: the last one made goes first.
impl Drop for Kept {
    fn drop(&mut self) {
        let values = take(self.values.get_mut());
        each_then_panic(values.into_values().rev(), drop);
    }
}

/// Hears of the drop of a value: it ends without one, when the sender goes.
pub(super) type Gone = oneshot::Receiver<Infallible>;

/// A value of the running loop. Clones are the same value; the last one to go,
/// the loop's own included, drops it.
pub struct Here<T>(Rc<Held<T>>);

struct Held<T> {
    value: T,
    /// Dropped after the value.
    _gone: oneshot::Sender<Infallible>,
}

impl<T> Deref for Here<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Clone for Here<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: fmt::Debug> fmt::Debug for Here<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Here").field(&**self).finish()
    }
}

/// Keeps a value on the running loop; gives its number there.
///
/// # Panics
/// Outside of a loop, or when the loop's values have been dropped already.
#[track_caller]
pub(super) fn keep<T: 'static>(value: T) -> (u64, Gone) {
    let (tell, gone) = oneshot::channel();
    let held = Rc::new(Held { value, _gone: tell });
    let number = KEPT.with(|kept| {
        let number = kept.next.get();
        kept.next.set(number + 1);
        kept.values.borrow_mut().insert(number, held);
        number
    });
    (number, gone)
}

/// The running loop's value of this number, if it has not been forgotten.
pub(super) fn find<T: 'static>(number: u64) -> Option<Here<T>> {
    let value = KEPT.try_with(|kept| kept.values.borrow().get(&number).cloned());
    let held = value.ok()??.downcast();
    held.ok().map(Here)
}

/// The running loop keeps this value no more; it is dropped here if nobody uses
/// it just now.
pub(super) fn forget(number: u64) {
    let value = KEPT.try_with(|kept| kept.values.borrow_mut().remove(&number));
    drop(value);
}
