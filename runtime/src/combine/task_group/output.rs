//! Which outputs of a child are failures.
#![forbid(unsafe_code)]

use std::any::Any;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

/// What a child of a [`TaskGroup`](super::TaskGroup) may come to, and whether
/// that is a failure; as [`std::process::Termination`] is for `main`.
///
/// A `Result` fails by `Err`; what has no failure in it succeeds. It is
/// implemented for the usual types of values, and cannot be implemented outside
/// of this crate: a child that comes to a type of your own ends with
/// [`Plain`]`(value)`, or with a `Result`.
#[diagnostic::on_unimplemented(
    message = "a task group does not know whether `{Self}` is a failure",
    note = "end the child with a `Result`, or with `Plain(value)`"
)]
pub trait GroupOutput {
    /// What its success is.
    type Value: 'static;

    /// The success, or the failure.
    ///
    /// # Errors
    /// The failure, which the group keeps.
    fn settle(self) -> Result<Self::Value, Failure>;
}

/// The failure of a group's child: an error of any type.
pub struct Failure {
    pub(super) error: Box<dyn AnyError>,
}

impl Failure {
    /// The group's error gives it back by its type.
    fn new<E: fmt::Debug + 'static>(error: E) -> Self {
        Self {
            error: Box::new(error),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// An error that can be shown, and asked for its type.
pub(super) trait AnyError: Any + fmt::Debug {}

impl<E: Any + fmt::Debug> AnyError for E {}

impl<T: 'static, E: fmt::Debug + 'static> GroupOutput for Result<T, E> {
    type Value = T;

    fn settle(self) -> Result<T, Failure> {
        self.map_err(Failure::new)
    }
}

/// An output that is never a failure, of whatever type.
///
/// # Examples
/// ```
/// use polyloop::{TaskGroup, combine::Plain};
///
/// struct Page(u32);
///
/// # polyloop::run(async {
/// let page = TaskGroup::scope(async |group| {
///     group.create_task(async { Plain(Page(3)) }).await.unwrap()
/// });
/// assert_eq!(page.await.unwrap().0, 3);
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain<T>(pub T);

impl<T: 'static> GroupOutput for Plain<T> {
    type Value = T;

    fn settle(self) -> Result<T, Failure> {
        Ok(self.0)
    }
}

macro_rules! succeed {
    ($([$($generic:ident),*] $type:ty),* $(,)?) => {
        $(
            impl<$($generic: 'static),*> GroupOutput for $type {
                type Value = Self;

                fn settle(self) -> Result<Self, Failure> {
                    Ok(self)
                }
            }
        )*
    };
}

succeed! {
    [] (), [] bool, [] char, [] String, [] &'static str,
    [] u8, [] u16, [] u32, [] u64, [] u128, [] usize,
    [] i8, [] i16, [] i32, [] i64, [] i128, [] isize,
    [] f32, [] f64,
    [] std::time::Duration, [] std::time::Instant, [] std::path::PathBuf,
    [] std::convert::Infallible,
    [T] Option<T>, [T] Vec<T>, [T] Box<T>, [T] Rc<T>, [T] Arc<T>, [T] &'static [T],
    [A] (A,), [A, B] (A, B), [A, B, C] (A, B, C), [A, B, C, D] (A, B, C, D),
}

/// The output of a child that never ends, or only by a panic. The type has no
/// name on stable Rust, but a function pointer can be asked for it.
type Never = <fn() -> ! as Returns>::Value;

pub trait Returns {
    type Value;
}

impl<T> Returns for fn() -> T {
    type Value = T;
}

impl GroupOutput for Never {
    type Value = Self;

    fn settle(self) -> Result<Self, Failure> {
        self
    }
}

impl<T: 'static, const N: usize> GroupOutput for [T; N] {
    type Value = Self;

    fn settle(self) -> Result<Self, Failure> {
        Ok(self)
    }
}
