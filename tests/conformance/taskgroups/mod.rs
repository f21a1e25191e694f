//! test_taskgroups.TestTaskGroup.

mod ends;
mod failures;
mod life;

use polyloop::combine::GroupError;

/// The errors of a group whose children fail with texts, in order of time.
fn texts(error: &GroupError) -> Vec<&'static str> {
    let errors = error.errors().iter();
    errors
        .map(|error| *error.downcast_ref().expect("a text"))
        .collect()
}
