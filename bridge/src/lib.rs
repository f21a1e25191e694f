//! polyloop-bridge
