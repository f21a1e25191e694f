//! Other libraries' runtime traits on the loop; each behind a feature of its
//! name, which adds to the API and changes nothing.

#[cfg(feature = "hyper")]
pub mod hyper;
