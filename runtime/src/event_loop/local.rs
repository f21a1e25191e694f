//! Values of which each loop has one of its own, as a thread has its
//! thread-locals; but these end with the loop, in a stated order.
#![forbid(unsafe_code)]

use super::context;
use crate::error::NO_LOOP;
use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// A value of which each loop has one of its own; declared with
/// [`loop_local!`](crate::loop_local).
///
/// A loop makes its value when it is first used there. When the loop is closed,
/// and all of its tasks have ended, the values are dropped on the loop's thread
/// and inside the loop, the last made first: a value may rely on those that it
/// used while it was made. From then on [`try_with`](Self::try_with) answers
/// that it is gone.
///
/// # Examples
/// ```
/// use std::cell::Cell;
///
/// polyloop::loop_local! {
///     static VISITS: Cell<u32> = Cell::new(0);
/// }
///
/// let visits = |_| {
///     polyloop::run(async {
///         VISITS.with(|visits| visits.set(visits.get() + 1));
///         VISITS.with(Cell::get)
///     })
///     .unwrap()
/// };
/// // Each run is a loop of its own.
/// assert_eq!([1, 2].map(visits), [1, 1]);
/// assert!(VISITS.try_with(|_| ()).unwrap_err().is_no_loop());
/// ```
pub struct LoopLocal<T: 'static> {
    /// Its place in each loop's list, and one; zero until the first use.
    key: AtomicUsize,
    make: fn() -> T,
}

impl<T: 'static> LoopLocal<T> {
    /// What [`loop_local!`](crate::loop_local) makes the static of.
    pub const fn new(make: fn() -> T) -> Self {
        Self {
            key: AtomicUsize::new(0),
            make,
        }
    }

    /// Calls `f` with the running loop's value, which is made first if need be.
    ///
    /// # Panics
    /// Where [`try_with`](Self::try_with) gives an error.
    #[track_caller]
    pub fn with<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        match self.try_with(f) {
            Ok(answer) => answer,
            Err(error) => panic!("{error}"),
        }
    }

    /// Calls `f` with the running loop's value, which is made first if need be.
    ///
    /// # Errors
    /// There is no loop on this thread, the loop is being closed and the value
    /// is gone, or the value is just being made.
    pub fn try_with<R>(&'static self, f: impl FnOnce(&T) -> R) -> Result<R, LocalError> {
        // Held by a count, so that nothing is borrowed while `f` runs.
        let value = context::try_with(|core| core.locals.get(self.index(), self.make));
        let value = value.ok_or(LocalError(Why::NoLoop))??;
        Ok(f(&value))
    }

    fn index(&self) -> usize {
        match self.key.load(Relaxed) {
            0 => self.first_index(),
            key => key - 1,
        }
    }

    #[cold]
    fn first_index(&self) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let key = NEXT.fetch_add(1, Relaxed);
        // Another thread may have been first; a number is then unused.
        match self.key.compare_exchange(0, key, Relaxed, Relaxed) {
            Ok(_) => key - 1,
            Err(earlier) => earlier - 1,
        }
    }
}

/// Declares values of which each loop has one of its own; see
/// [`LoopLocal`](crate::LoopLocal).
///
/// # Examples
/// ```
/// use std::cell::RefCell;
///
/// polyloop::loop_local! {
///     /// What was seen on this loop.
///     pub static SEEN: RefCell<Vec<u32>> = RefCell::default();
///     static FIRST: String = polyloop::current_loop().name().to_owned();
/// }
///
/// polyloop::run(async {
///     SEEN.with(|seen| seen.borrow_mut().push(7));
///     assert_eq!(SEEN.with(|seen| seen.borrow().clone()), [7]);
///     assert_eq!(FIRST.with(String::clone), "main");
/// })
/// .unwrap();
/// ```
#[macro_export]
macro_rules! loop_local {
    ($($(#[$meta:meta])* $visible:vis static $name:ident: $type:ty = $make:expr);+ $(;)?) => {$(
        $(#[$meta])*
        $visible static $name: $crate::LoopLocal<$type> = $crate::LoopLocal::new(|| $make);
    )+};
}

/// Why there is no loop-local value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LocalError(Why);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    NoLoop,
    Gone,
    BeingMade,
}

impl LocalError {
    /// Is there no loop on the calling thread?
    pub fn is_no_loop(&self) -> bool {
        self.0 == Why::NoLoop
    }

    /// Was the value dropped, since the loop is being closed?
    pub fn is_gone(&self) -> bool {
        self.0 == Why::Gone
    }

    /// Was it asked for by the code that makes it?
    pub fn is_being_made(&self) -> bool {
        self.0 == Why::BeingMade
    }
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Why::NoLoop => NO_LOOP,
            Why::Gone => {
                "the loop is being closed and its value is gone: use try_with() in destructors"
            }
            Why::BeingMade => "the loop-local value is needed in order to make itself",
        })
    }
}

impl fmt::Debug for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalError({self})")
    }
}

impl Error for LocalError {}

impl<T> fmt::Debug for LoopLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopLocal").finish_non_exhaustive()
    }
}

/// One loop's values.
#[derive(Default)]
pub(super) struct Locals(RefCell<Inner>);

#[derive(Default)]
struct Inner {
    /// By the index of the local.
    slots: Vec<Slot>,
    /// The indices of those that there are, in the order of their making.
    made: Vec<usize>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    BeingMade,
    Made(Rc<dyn Any>),
    Gone,
}

impl Locals {
    fn get<T: 'static>(&self, index: usize, make: fn() -> T) -> Result<Rc<T>, LocalError> {
        if let Slot::Made(value) = &*self.slot(index) {
            return Ok(typed(value.clone()));
        }
        self.make(index, make)
    }

    #[cold]
    fn make<T: 'static>(&self, index: usize, make: fn() -> T) -> Result<Rc<T>, LocalError> {
        match &mut *self.slot(index) {
            slot @ Slot::Empty => *slot = Slot::BeingMade,
            Slot::Made(value) => return Ok(typed(value.clone())),
            Slot::BeingMade => return Err(LocalError(Why::BeingMade)),
            Slot::Gone => return Err(LocalError(Why::Gone)),
        }
        // Should `make` panic, the next use tries again.
        let unmade = Unmade {
            locals: self,
            index,
        };
        let value = Rc::new(make());
        std::mem::forget(unmade);
        *self.slot(index) = Slot::Made(value.clone());
        self.0.borrow_mut().made.push(index);
        Ok(value)
    }

    fn slot(&self, index: usize) -> std::cell::RefMut<'_, Slot> {
        let mut inner = self.0.borrow_mut();
        if inner.slots.len() <= index {
            inner.slots.resize_with(index + 1, Slot::default);
        }
        std::cell::RefMut::map(inner, |inner| &mut inner.slots[index])
    }

    /// Takes the value that was made last; it is gone from then on. What its
    /// drop makes comes next: each local is made once at most, so there is an
    /// end.
    pub(super) fn pop(&self) -> Option<Rc<dyn Any>> {
        let index = self.0.borrow_mut().made.pop()?;
        match std::mem::replace(&mut *self.slot(index), Slot::Gone) {
            Slot::Made(value) => Some(value),
            _ => unreachable!("what is in the list was made and is taken once"),
        }
    }
}

/// Empties the slot of a value that could not be made.
struct Unmade<'a> {
    locals: &'a Locals,
    index: usize,
}

impl Drop for Unmade<'_> {
    fn drop(&mut self) {
        *self.locals.slot(self.index) = Slot::Empty;
    }
}

fn typed<T: 'static>(value: Rc<dyn Any>) -> Rc<T> {
    match value.downcast() {
        Ok(value) => value,
        Err(_) => unreachable!("an index belongs to one local, of one type"),
    }
}
