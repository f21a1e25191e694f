//! Which core a loop's thread runs on.

use core_affinity::CoreId;

/// On which cores the threads of a [`LoopGroup`](super::LoopGroup) run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Placement {
    /// Wherever the system puts them.
    #[default]
    Anywhere,
    /// Each on a core of its own, of those that this process may use; with more
    /// loops than cores, round and round.
    OnePerCore,
    /// On the cores of these numbers; with more loops than numbers, round and
    /// round.
    Cores(Vec<usize>),
}

impl Placement {
    /// Pins the calling thread, if it is to be pinned and the system allows it.
    pub(super) fn apply(&self, number: usize) -> bool {
        if *self == Self::Anywhere {
            return false;
        }
        let allowed = core_affinity::get_core_ids().unwrap_or_default();
        let wanted = match self {
            Self::Anywhere => None,
            Self::OnePerCore => pick(&allowed, number).copied(),
            Self::Cores(cores) => pick(cores, number).map(|&id| CoreId { id }),
        };
        // Others are not even asked for: a number beyond the system's own
        // limit would be a panic.
        wanted.is_some_and(|core| allowed.contains(&core) && core_affinity::set_for_current(core))
    }
}

fn pick<T>(from: &[T], number: usize) -> Option<&T> {
    from.get(number.checked_rem(from.len())?)
}
