//! What a panic's payload says.
#![forbid(unsafe_code)]

use std::any::Any;

/// The message, when the payload is a string; a stand-in when it is not.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(a panic whose payload is not a string)"
    }
}
