//! Who uses whom inside a crate, and whether that goes downward.

use super::source::{code_of, without_tests};
use std::collections::BTreeMap;

/// The level of each top module of a crate.
pub type Layers = [(&'static str, u32)];

/// One use of a name of the crate's root: `(line, name)`.
pub type Edge = (usize, String);

/// The top module that a file of a crate belongs to: `task` for
/// `src/task/cell.rs`. `None` for the crate's root and for files of tests.
pub fn top_module(path_in_src: &str) -> Option<&str> {
    let file = path_in_src.rsplit('/').next()?;
    let stem = file.strip_suffix(".rs")?;
    let tests = ["tests", "testing", "test_tools"].contains(&stem) || stem.ends_with("_tests");
    if tests || path_in_src == "lib.rs" {
        return None;
    }
    match path_in_src.split_once('/') {
        Some((top, _)) => Some(top),
        None => Some(stem),
    }
}

/// What the crate's root re-exports: `name → module`.
pub fn exported_names(root: &str) -> BTreeMap<String, String> {
    let code = code_of(root);
    let mut names = BTreeMap::new();
    for (at, mark) in code.match_indices("use ") {
        let path = &code[at + mark.len()..];
        let path = path[..path.find(';').unwrap_or(0)].trim();
        let path = path.strip_prefix("crate::").unwrap_or(path);
        let Some((module, rest)) = path.split_once("::") else {
            continue;
        };
        for name in rest.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
            names.insert(name.to_owned(), module.trim().to_owned());
        }
    }
    names.remove("");
    names
}

/// The names of the crate's root that a file uses, outside of its tests. `depth`
/// is how many `super::` lead from the file to the crate's root.
pub fn edges(text: &str, depth: usize) -> Vec<Edge> {
    let code = code_of(&without_tests(text));
    let supers = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", supers.as_str()] {
        for (at, mark) in code.match_indices(prefix) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c)) {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            for name in first_names(&code[at + mark.len()..]) {
                found.push((line, name.to_owned()));
            }
        }
    }
    found
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(rest: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let Some(group) = rest.strip_prefix('{') else {
        return vec![&rest[..word(rest).unwrap_or(rest.len())]];
    };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = Some(0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = Some(at + 1),
            c if c.is_whitespace() => {}
            _ if depth == 0 => {
                if let Some(from) = start.take() {
                    let path = group[from..].trim_start();
                    names.push(&path[..word(path).unwrap_or(path.len())]);
                }
            }
            _ => {}
        }
    }
    names
}

/// The edges of a file that do not go downward, in words. A name that is no
/// module stands for the one that the root re-exports it from.
pub fn upward_edges(
    module: &str,
    found: &[Edge],
    exported: &BTreeMap<String, String>,
    layers: &Layers,
) -> Vec<String> {
    let level = |name: &str| layers.iter().find(|(known, _)| *known == name);
    let Some((_, own)) = level(module) else {
        return vec![format!(
            "module `{module}` has no level; add it to the table"
        )];
    };
    let mut bad = Vec::new();
    for (line, name) in found {
        let resolved = level(name).or_else(|| level(exported.get(name)?));
        // The rest are macros, and the end of `crate::*`.
        let Some((name, other)) = resolved else {
            continue;
        };
        if *name != module && other >= own {
            bad.push(format!(
                "line {line}: `{module}` (level {own}) uses `{name}` (level {other})"
            ));
        }
    }
    bad
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYERS: &Layers = &[("error", 0), ("task", 1), ("ready", 2), ("time", 4)];

    fn bad(module: &str, depth: usize, text: &str) -> Vec<String> {
        let exported = exported_names("pub use time::{after, Sleep as Nap};");
        upward_edges(module, &edges(text, depth), &exported, LAYERS)
    }

    #[test]
    fn an_upward_edge_is_found_however_it_is_written() {
        for text in [
            "use crate::time::after;",
            "fn f() { crate::time::after() }",
            "use crate::{error::E, time::{after, x}};",
            "use crate::{\n    error,\n    time,\n};",
            "use crate::after;",
            "use super::time::after;",
        ] {
            assert_eq!(bad("ready", 1, text).len(), 1, "{text}");
        }
        assert_eq!(bad("ready", 2, "use super::super::time::after;").len(), 1);
    }

    #[test]
    fn edges_downward_inside_and_in_tests_are_none() {
        for text in [
            "use crate::error::E;\nuse crate::ready::Ready;",
            "// use crate::time::after;",
            "#[cfg(test)]\nmod tests {\n    use crate::time::after;\n}",
            "use super::time::own_part;",
        ] {
            assert_eq!(bad("ready", 2, text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(bad("new", 1, "").len(), 1, "a module without a level");
    }

    #[test]
    fn files_are_told_their_module() {
        assert_eq!(top_module("task/cell.rs"), Some("task"));
        assert_eq!(top_module("ready.rs"), Some("ready"));
        assert_eq!(top_module("lib.rs"), None);
        assert_eq!(top_module("sync/event_tests.rs"), None);
    }
}
