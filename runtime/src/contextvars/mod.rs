//! Context variables: values that follow the work, not the thread; asyncio's
//! `contextvars`.
//!
//! A variable is declared with [`context_var!`](crate::context_var). What a task
//! sets, it alone sees, and what it starts: tasks, callbacks of
//! [`call_soon`](crate::call_soon) and its kin, and done-callbacks begin with a
//! copy of the values of the code that created them. Work that leaves the
//! thread takes a [`Context`] along ([`copy_context`], [`Context::run`],
//! [`Context::make_current`]); polyloop-bridge does that for submissions and
//! offloaded calls.
//!
//! Values are `Clone + Send + Sync + 'static`, so that a context can cross
//! threads. Reading one counts a reference and clones the value; setting one
//! copies the list of values that are set, so set few. A program that has no
//! context variables pays nothing, and a task that inherits none pays nothing
//! when it is created or polled.
//!
//! ```
//! polyloop::context_var! {
//!     /// Who the request is from.
//!     static USER: String;
//! }
//!
//! polyloop::run(async {
//!     USER.set("ada".to_owned());
//!     let task = polyloop::create_task(async {
//!         assert_eq!(USER.get().as_deref(), Some("ada"));
//!         USER.set("bob".to_owned());
//!     });
//!     task.await.unwrap();
//!     assert_eq!(USER.get().as_deref(), Some("ada"));
//! })
//! .unwrap();
//! ```
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

pub use crate::util::Context;

use crate::event_loop::vars;
use crate::util::Value;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The context of the calling code; asyncio's `contextvars.copy_context`.
///
/// In a task or a callback it is that one's, elsewhere the thread's.
///
/// # Examples
/// ```
/// assert!(polyloop::copy_context().is_empty());
/// ```
#[must_use]
#[inline]
pub fn copy_context() -> Context {
    vars::copy()
}

impl Context {
    /// Calls `f` with this context as the current one; what `f` sets stays in
    /// this context. asyncio's `Context.run`.
    ///
    /// For a future give the context to the task that runs it
    /// ([`TaskBuilder::context`](crate::TaskBuilder::context)), or call
    /// [`make_current`](Self::make_current) in it.
    ///
    /// # Panics
    /// If `f` does.
    pub fn run<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let outer = vars::replace(std::mem::take(self));
        let _restore = Restore {
            inner: self,
            outer: Some(outer),
        };
        f()
    }

    /// Gives the calling code this context from here on, and returns the one
    /// that it had: the running task or callback, and outside of those the
    /// thread.
    ///
    /// For work that arrives from elsewhere with its sender's context.
    ///
    /// # Examples
    /// ```
    /// polyloop::context_var! { static STEP: u32 = 1; }
    ///
    /// STEP.set(2);
    /// let context = polyloop::copy_context();
    /// let step = std::thread::spawn(|| {
    ///     context.make_current();
    ///     STEP.get()
    /// });
    /// assert_eq!(step.join().unwrap(), Some(2));
    /// ```
    pub fn make_current(self) -> Context {
        vars::replace(self)
    }

    /// The value that `variable` has in this context, or its default.
    pub fn get<T>(&self, variable: &'static ContextVar<T>) -> Option<T>
    where
        T: Clone + Send + Sync + 'static,
    {
        let value = self.value(variable.key()).and_then(|value| {
            // A variable's values are all of its type, since it makes them.
            value.downcast_ref::<T>()
        });
        value
            .cloned()
            .or_else(|| variable.default.map(|make| make()))
    }
}

/// Puts the outer context back, also when the code in between panics.
struct Restore<'a> {
    inner: &'a mut Context,
    outer: Option<Context>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        if let Some(outer) = self.outer.take() {
            *self.inner = vars::replace(outer);
        }
    }
}

/// A variable whose value follows the work; asyncio's `contextvars.ContextVar`.
/// Declared with [`context_var!`](crate::context_var).
pub struct ContextVar<T> {
    name: &'static str,
    default: Option<fn() -> T>,
}

impl<T> ContextVar<T> {
    /// What [`context_var!`](crate::context_var) expands to.
    #[doc(hidden)]
    pub const fn new(name: &'static str, default: Option<fn() -> T>) -> Self {
        Self { name, default }
    }

    /// Its name, as declared.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn key(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl<T: Clone + Send + Sync + 'static> ContextVar<T> {
    /// Its value for the calling code: the one that was set, else the default;
    /// `None` if it has neither.
    pub fn get(&'static self) -> Option<T> {
        vars::current().get(self)
    }

    /// Sets its value for the calling code and for what that starts from now
    /// on. The token takes it back; it may be dropped.
    pub fn set(&'static self, value: T) -> Token<T> {
        Token {
            key: self.key(),
            before: self.exchange(Some(Arc::new(value))),
            _value: PhantomData,
        }
    }

    /// Gives it the value again that it had before the `set` that returned
    /// `token`, or none. A token serves once, and for the code that set it:
    /// elsewhere it sets that earlier value there.
    ///
    /// # Panics
    /// If the token is another variable's.
    ///
    /// # Examples
    /// ```
    /// polyloop::context_var! { static DEPTH: u32 = 0; }
    ///
    /// let token = DEPTH.set(1);
    /// assert_eq!(DEPTH.get(), Some(1));
    /// DEPTH.reset(token);
    /// assert_eq!(DEPTH.get(), Some(0));
    /// ```
    pub fn reset(&'static self, token: Token<T>) {
        assert!(
            token.key == self.key(),
            "the token is another variable's; give reset() the one that set() of {} returned",
            self.name
        );
        drop(self.exchange(token.before));
    }

    fn exchange(&'static self, value: Option<Value>) -> Option<Value> {
        let mut context = vars::replace(Context::new());
        let before = context.exchange(self.key(), self.name, value);
        vars::replace(context);
        before
    }
}

impl<T> fmt::Debug for ContextVar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextVar")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a variable was before it was set; asyncio's `contextvars.Token`.
pub struct Token<T> {
    key: usize,
    before: Option<Value>,
    _value: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// Declares [context variables](crate::contextvars): statics whose value
/// follows the work. A default is optional.
///
/// # Examples
/// ```
/// polyloop::context_var! {
///     /// The request's number.
///     pub static REQUEST: u64;
///     static LANGUAGE: String = "en".to_owned();
/// }
///
/// assert_eq!(REQUEST.get(), None);
/// assert_eq!(LANGUAGE.get().as_deref(), Some("en"));
/// REQUEST.set(7);
/// assert_eq!(REQUEST.get(), Some(7));
/// ```
#[macro_export]
macro_rules! context_var {
    ($($(#[$meta:meta])* $visibility:vis static $name:ident: $type:ty $(= $default:expr)?);* $(;)?) => {
        $(
            $(#[$meta])*
            $visibility static $name: $crate::contextvars::ContextVar<$type> =
                $crate::contextvars::ContextVar::new(
                    stringify!($name),
                    $crate::context_var!(@default $($default)?),
                );
        )*
    };
    (@default) => { ::core::option::Option::None };
    (@default $default:expr) => { ::core::option::Option::Some(|| $default) };
}
