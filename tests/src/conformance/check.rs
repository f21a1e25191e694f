//! What can be wrong with the verdicts.

use super::{Entry, Verdict};
use crate::tidy::SourceFile;
use std::collections::{BTreeMap, BTreeSet};

/// Complaints about `entries`, given the CPython tests there are and the files
/// in which every test must have a verdict.
pub fn complaints(entries: &[Entry], known: &[String], complete: &[String]) -> Vec<String> {
    let verdicts = expand(entries, known);
    let mut complaints = unusable(entries, known);
    for (name, verdicts) in &verdicts {
        let kinds: BTreeSet<_> = verdicts.iter().map(|entry| kind(entry)).collect();
        if kinds.len() > 1 {
            let places: Vec<_> = verdicts.iter().map(|entry| place(entry)).collect();
            complaints.push(format!(
                "{name} has different verdicts: {}",
                places.join(", ")
            ));
        }
    }
    for name in known {
        let file = name.split('.').next().unwrap_or_default();
        if complete.iter().any(|complete| complete == file) && !verdicts.contains_key(name.as_str())
        {
            complaints.push(format!("{name} has no verdict, and {file} is complete"));
        }
    }
    complaints
}

/// Which entries speak of which test. A list's line for a whole class stands
/// back where one of the class's tests has a line of its own.
pub(super) fn expand<'a>(
    entries: &'a [Entry],
    known: &'a [String],
) -> BTreeMap<&'a str, Vec<&'a Entry>> {
    let mut verdicts: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.name.ends_with('*')) {
        verdicts.entry(&entry.name).or_default().push(entry);
    }
    for entry in entries {
        let Some(class) = entry.name.strip_suffix('*') else {
            continue;
        };
        for name in known.iter().filter(|name| name.starts_with(class)) {
            verdicts.entry(name).or_insert_with(|| vec![entry]);
        }
    }
    verdicts
}

fn unusable(entries: &[Entry], known: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    for entry in entries {
        let unknown = match entry.name.strip_suffix('*') {
            Some(class) => !known.iter().any(|name| name.starts_with(class)),
            None => !known.contains(&entry.name),
        };
        if unknown {
            complaints.push(format!(
                "{}: CPython has no {} (if 3.14 does, put it into cpython.txt)",
                place(entry),
                entry.name
            ));
        }
        if entry.verdict != Verdict::Same && entry.verdict.reason().is_empty() {
            complaints.push(format!(
                "{}: {} needs a reason",
                place(entry),
                entry.verdict
            ));
        }
    }
    complaints
}

fn kind(entry: &Entry) -> u8 {
    match entry.verdict {
        Verdict::Same => 0,
        Verdict::Adapted(_) => 1,
        Verdict::NotApplicable(_) => 2,
    }
}

fn place(entry: &Entry) -> String {
    format!("{}:{}", entry.place.0, entry.place.1)
}

/// The Rust files among `files` that no `mod` of the others reaches: their
/// verdicts would count, and their tests would not run.
pub fn unreachable_files(files: &[SourceFile]) -> Vec<String> {
    let reached = |path: &str| {
        let path = path.strip_suffix("/mod.rs").unwrap_or(path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        let name = path.rsplit('/').next().unwrap_or(path);
        let (declared, by_path) = (format!("mod {name};"), format!("{name}.rs\""));
        files.iter().any(|file| {
            let mut lines = file.text.lines();
            lines.any(|line| line.ends_with(&declared) || line.contains(&by_path))
        })
    };
    let paths = files.iter().map(|file| file.path.as_str());
    paths
        .filter(|path| !path.ends_with("/main.rs") && !reached(path))
        .map(|path| format!("no module declares {path}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::{of_list, of_rust};
    use super::*;

    fn known() -> Vec<String> {
        let names = ["test_a.B.test_c", "test_a.B.test_d", "test_a.E.test_f"];
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn two_verdicts_of_one_kind_agree_and_others_do_not() {
        let twice = "/// same test_a.B.test_c\nfn a() {}\n/// same test_a.B.test_c\nfn b() {}\n";
        let mut entries = of_rust("a.rs", twice);
        assert!(complaints(&entries, &known(), &[]).is_empty());
        entries.extend(of_list("l", "test_a.B.test_c: why\n"));
        assert_eq!(complaints(&entries, &known(), &[]).len(), 1);
    }

    #[test]
    fn a_complete_file_needs_every_verdict() {
        let mut entries = of_list("l", "test_a.B.*: why\n");
        let complete = ["test_a".to_owned()];
        let missing = complaints(&entries, &known(), &complete);
        assert_eq!(missing.len(), 1, "{missing:?}");
        assert!(missing[0].starts_with("test_a.E.test_f"));
        entries.extend(of_rust("a.rs", "/// same test_a.E.test_f\nfn f() {}\n"));
        assert!(complaints(&entries, &known(), &complete).is_empty());
    }

    #[test]
    fn a_misspelt_name_and_a_bare_verdict_are_found() {
        let entries = of_list("l", "test_a.B.test_x: why\ntest_a.B.test_c\n");
        assert_eq!(complaints(&entries, &known(), &[]).len(), 2);
    }

    #[test]
    fn a_file_that_nobody_declares_is_found() {
        let file = |path: &str, text: &str| SourceFile {
            path: path.into(),
            text: text.into(),
        };
        let main = file("c/main.rs", "mod locks;\n#[path = \"x/shared.rs\"]\n");
        let files = [
            main,
            file("c/locks/mod.rs", ""),
            file("c/x/shared.rs", ""),
            file("c/lost.rs", ""),
        ];
        assert_eq!(unreachable_files(&files), ["no module declares c/lost.rs"]);
    }
}
