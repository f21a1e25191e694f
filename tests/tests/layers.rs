//! A module uses modules of lower layers only, so that the crates can be read
//! from the bottom up.
#![forbid(unsafe_code)]

use polyloop_tests::tidy::{Layers, edges, exported_names, rust_files, top_module, upward_edges};

/// `remote` knows the task cell; the reactor knows `remote`'s `Unpark`.
const RUNTIME: &Layers = &[
    ("coop", 0),
    ("error", 0),
    ("loom", 0),
    ("offload", 0),
    ("spin", 0),
    ("util", 0),
    ("task", 1),
    ("ready", 2),
    ("remote", 2),
    ("timers", 2),
    ("reactor", 3),
    ("event_loop", 4),
    ("contextvars", 5),
    ("time", 5),
    ("sync", 5),
    ("combine", 6),
    ("io", 6),
    ("signal", 7),
    ("net", 7),
    ("process", 7),
    ("fs", 7),
    ("compat", 8),
];

const BRIDGE: &Layers = &[
    ("cores", 0),
    ("heap", 0),
    ("loom", 0),
    ("blocked", 1),
    ("waiters", 1),
    ("outcome", 2),
    ("channel", 3),
    ("sync", 3),
    ("submit", 4),
    ("executor", 4),
    ("blocking", 5),
    ("span", 5),
    ("collect", 5),
    ("group", 5),
    ("shard", 6),
];

#[test]
fn the_runtime_is_layered() {
    check("runtime/src/", RUNTIME);
}

#[test]
fn the_bridge_is_layered() {
    check("bridge/src/", BRIDGE);
}

fn check(folder: &str, layers: &Layers) {
    let files: Vec<_> = rust_files()
        .into_iter()
        .filter_map(|file| Some((file.path.strip_prefix(folder)?.to_owned(), file.text)))
        .collect();
    let root = files.iter().find(|(path, _)| path == "lib.rs");
    let (_, root) = root.expect("a crate has a root");
    let exported = exported_names(root);
    let mut complaints = Vec::new();
    for (path, text) in &files {
        let Some(module) = top_module(path) else {
            continue;
        };
        // `mod.rs` is as deep as its folder, other files one deeper.
        let folders = path.matches('/').count();
        let depth = if path.ends_with("/mod.rs") {
            folders
        } else {
            folders + 1
        };
        let found = edges(text, depth);
        for complaint in upward_edges(module, &found, &exported, layers) {
            complaints.push(format!("{folder}{path}: {complaint}"));
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
