//! The values of context variables, as one thing that can be passed on.
#![forbid(unsafe_code)]

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A value of some context variable, shared by all contexts that have it.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// The values that context variables have somewhere; asyncio's
/// `contextvars.Context`.
///
/// Every task, callback and thread has one. It is a snapshot: setting a
/// variable afterwards changes the context of who sets it, and no copy. Copying
/// counts a reference, and an empty one, as in a program without context
/// variables, is nothing at all. It is `Send + Sync`, since the values are, so
/// that work sent to another thread can take its sender's context along.
///
/// # Examples
/// ```
/// polyloop::context_var! { static USER: &'static str = "nobody"; }
///
/// USER.set("ada");
/// let mut context = polyloop::copy_context();
/// std::thread::spawn(move || {
///     assert_eq!(USER.get(), Some("nobody"));
///     context.run(|| assert_eq!(USER.get(), Some("ada")));
/// })
/// .join()
/// .unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Context {
    // Sorted by key. Few variables are set at a time, so copying all of them
    // when one changes is cheaper than a tree would be.
    entries: Option<Arc<Vec<Entry>>>,
}

#[derive(Clone)]
struct Entry {
    /// The address of the variable, which is a static.
    key: usize,
    name: &'static str,
    value: Value,
}

impl Context {
    /// A context in which no variable has a value.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Has no variable a value?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many variables have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.len())
    }

    pub(crate) fn value(&self, key: usize) -> Option<&Value> {
        let entries = self.entries.as_deref()?;
        let at = entries.binary_search_by_key(&key, |entry| entry.key).ok()?;
        Some(&entries[at].value)
    }

    /// Gives a variable a value, or none, and returns the one that it had.
    pub(crate) fn exchange(
        &mut self,
        key: usize,
        name: &'static str,
        value: Option<Value>,
    ) -> Option<Value> {
        if value.is_none() && self.entries.is_none() {
            return None;
        }
        let entries = Arc::make_mut(self.entries.get_or_insert_default());
        let place = entries.binary_search_by_key(&key, |entry| entry.key);
        match (place, value) {
            (Ok(at), Some(value)) => Some(std::mem::replace(&mut entries[at].value, value)),
            (Ok(at), None) => Some(entries.remove(at).value),
            (Err(at), Some(value)) => {
                entries.insert(at, Entry { key, name, value });
                None
            }
            (Err(_), None) => None,
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.as_deref().into_iter().flatten();
        f.debug_set()
            .entries(entries.map(|entry| entry.name))
            .finish()
    }
}
