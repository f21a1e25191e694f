//! test_timeouts.

mod nested;
mod timeout;
