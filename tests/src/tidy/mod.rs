//! Checks of the source tree, as functions of text, so that each can be shown
//! to fail on a planted sample. The tests that run them on the tree stand in
//! `tests/tests/tidy.rs` and `tests/tests/layers.rs`.

mod layers;
mod manifest;
mod source;
mod words;

pub use layers::{Layers, edges, exported_names, top_module, upward_edges};
pub use manifest::{inherits_lints, uncommented_dependencies};
pub use source::{bare_ignores, code_of, long_functions, uses_unsafe, without_tests};
pub use words::{Words, forbidden_words, stubs};

use std::path::{Path, PathBuf};

/// A file of the tree.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path from the workspace's root, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// The workspace's root.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Every text file of the tree, less what tools make.
///
/// # Panics
/// If the tree cannot be read.
pub fn text_files() -> Vec<SourceFile> {
    let root = root();
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Every Rust file of the tree.
///
/// # Panics
/// If the tree cannot be read.
pub fn rust_files() -> Vec<SourceFile> {
    let mut files = text_files();
    files.retain(|file| file.path.ends_with(".rs"));
    files
}

/// Hidden folders that belong to the project.
const HIDDEN_BUT_OURS: [&str; 2] = [".ci", ".cargo"];

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    let entries = std::fs::read_dir(folder).expect("the source tree is readable");
    for entry in entries {
        let path = entry.expect("the source tree is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            let ours = !name.starts_with('.') || HIDDEN_BUT_OURS.contains(&name.as_ref());
            if ours && name != "target" {
                collect(root, &path, files);
            }
        } else if let Ok(text) = std::fs::read_to_string(&path)
            // In a linked worktree `.git` is a file, which names its machine.
            && name != ".git"
        {
            let path = path.strip_prefix(root).unwrap_or(&path);
            files.push(SourceFile {
                path: path.to_string_lossy().replace('\\', "/"),
                text,
            });
        }
    }
}
