//! The loops of a group that do one kind of work.
#![forbid(unsafe_code)]

use super::GroupError;
use super::members::Members;
use polyloop::LoopHandle;
use std::fmt;
use std::hash::Hash;

/// The loops of one role, from [`LoopGroup::role`](super::LoopGroup::role): the
/// same choices as in the whole group, among these.
///
/// The choices give `None` once all loops of the role were retired.
///
/// # Examples
/// ```
/// use polyloop_bridge::{LoopGroup, run_coroutine_threadsafe};
///
/// let group = LoopGroup::builder().role("front", 1).role("store", 2).build()?;
/// let store = group.role("store").unwrap();
/// assert_eq!(store.len(), 2);
/// let owner = store.by_key("a key").unwrap();
/// assert!(["store-0", "store-1"].contains(&owner.name()));
/// assert_eq!(group.handle(0).name(), "front-0");
/// # Ok::<(), polyloop_bridge::group::GroupError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Role<'a> {
    members: &'a Members,
    role: usize,
}

impl<'a> Role<'a> {
    pub(super) fn find(members: &'a Members, role: &str) -> Option<Self> {
        let role = members.loops.role(role)?;
        Some(Self { members, role })
    }

    pub(super) fn parts(&self) -> (&'a Members, usize) {
        (self.members, self.role)
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.members.loops.role_name(self.role)
    }

    /// How many loops it has.
    pub fn len(&self) -> usize {
        self.members.loops.open(Some(self.role)).count()
    }

    /// Were all of its loops retired?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One loop after the other, round and round.
    pub fn next(&self) -> Option<&'a LoopHandle> {
        self.members.loops.next(Some(self.role))
    }

    /// The loop with the fewest tasks.
    pub fn least_loaded(&self) -> Option<&'a LoopHandle> {
        self.members.loops.least_loaded(Some(self.role))
    }

    /// Always the same loop for the same key, while the loops stay the same; see
    /// [`LoopGroup::by_key`](super::LoopGroup::by_key).
    pub fn by_key<K: Hash + ?Sized>(&self, key: &K) -> Option<&'a LoopHandle> {
        self.members.loops.by_key(Some(self.role), key)
    }

    /// Its loops, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &'a LoopHandle> + use<'a> {
        let open = self.members.loops.open(Some(self.role));
        open.map(|(_, member)| &member.handle)
    }

    /// Starts one more loop of this role; see
    /// [`LoopGroup::add_loop`](super::LoopGroup::add_loop).
    ///
    /// # Errors
    /// Those of [`LoopGroup::add_loop`](super::LoopGroup::add_loop).
    pub fn add_loop(&self) -> Result<usize, GroupError> {
        self.members.add(Some(self.role))
    }
}

impl fmt::Debug for Role<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("name", &self.name())
            .field("loops", &self.iter().collect::<Vec<_>>())
            .finish()
    }
}
