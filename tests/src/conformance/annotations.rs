//! Reading verdicts out of Rust files and out of lists.

use super::{Entry, Verdict, lines};

/// The verdicts in the doc lines of a Rust file's tests; `path` is from the
/// conformance folder.
pub fn of_rust(path: &str, text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut pending: Vec<Entry> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(doc) = line.strip_prefix("///") {
            match verdict(doc) {
                Some((name, verdict)) => pending.push(Entry {
                    name,
                    verdict,
                    place: (path.to_owned(), at + 1),
                    test: None,
                }),
                None => go_on(pending.last_mut(), doc),
            }
        } else if let Some(name) = function(line) {
            let test = format!("{path} {name}");
            entries.extend(pending.drain(..).map(|entry| Entry {
                test: Some(test.clone()),
                ..entry
            }));
        } else if !line.starts_with("#[") {
            pending.clear();
        }
    }
    entries
}

/// The verdicts of a list of what is not applicable.
pub fn of_list(path: &str, text: &str) -> Vec<Entry> {
    let entry = |(at, line): (usize, &str)| {
        let (name, reason) = line.split_once(": ").unwrap_or((line, ""));
        Entry {
            name: name.to_owned(),
            verdict: Verdict::NotApplicable(reason.trim().to_owned()),
            place: (path.to_owned(), at),
            test: None,
        }
    };
    lines(text).map(entry).collect()
}

fn verdict(doc: &str) -> Option<(String, Verdict)> {
    let (word, rest) = doc.trim().split_once(' ')?;
    // The reason may begin on the next line.
    let bare = || (rest.strip_suffix(':').unwrap_or(rest), "");
    let (name, reason) = rest.split_once(": ").unwrap_or_else(bare);
    // A sentence that begins with one of the words is no verdict.
    if name.contains(' ') || name.split('.').count() != 3 {
        return None;
    }
    let verdict = match word {
        "same" => Verdict::Same,
        "adapted" => Verdict::Adapted(reason.to_owned()),
        _ => return None,
    };
    Some((name.to_owned(), verdict))
}

/// The differential scripts of a Rust file, each with how it is adapted, if it
/// is: `/// adapted: reason` above an `async fn` that takes `say`.
pub fn scripts_of(text: &str) -> Vec<(String, Option<String>)> {
    let mut scripts = Vec::new();
    let mut reason: Option<String> = None;
    for line in text.lines() {
        let script = line.strip_prefix("async fn ");
        let script = script.and_then(|rest| rest.strip_suffix("(say: Say) {"));
        if let Some(name) = script {
            scripts.push((name.to_owned(), reason.take()));
        } else if let Some(begins) = line.strip_prefix("/// adapted: ") {
            reason = Some(begins.to_owned());
        } else if let (Some(reason), Some(goes_on)) = (&mut reason, line.strip_prefix("///   ")) {
            reason.push(' ');
            reason.push_str(goes_on);
        } else {
            reason = None;
        }
    }
    scripts
}

/// A line that is indented goes on with the reason above it.
fn go_on(entry: Option<&mut Entry>, doc: &str) {
    if let Some(Entry {
        verdict: Verdict::Adapted(reason),
        ..
    }) = entry
        && doc.starts_with("   ")
    {
        if !reason.is_empty() {
            reason.push(' ');
        }
        reason.push_str(doc.trim());
    }
}

fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("fn ")?;
    rest.split_once('(').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doc_lines_above_a_test_are_verdicts() {
        let text = "/// same test_a.B.test_c\n/// adapted test_a.B.test_d: so\n///   and so\n\
                    /// same as ever.\n/// adapted test_a.B.test_e:\n///   below\n#[test]\nfn test_c() {}\n/// same test_a.B.test_e\n\nlet x;\n";
        let entries = of_rust("a.rs", text);
        assert_eq!(entries.len(), 3, "{entries:?}");
        assert_eq!(entries[2].verdict, Verdict::Adapted("below".into()));
        assert_eq!(entries[0].name, "test_a.B.test_c");
        assert_eq!(entries[0].verdict, Verdict::Same);
        assert_eq!(entries[0].test.as_deref(), Some("a.rs test_c"));
        assert_eq!(entries[1].verdict, Verdict::Adapted("so and so".into()));
        assert_eq!(entries[1].place, ("a.rs".into(), 2));
    }

    #[test]
    fn scripts_are_found_with_their_reasons() {
        let text = "/// adapted: so\n///   and so\nasync fn a(say: Say) {\n}\n\
                    async fn b(say: Say) {\nasync fn no_script(say: &Say) {\n";
        let expected = [
            ("a".to_owned(), Some("so and so".to_owned())),
            ("b".to_owned(), None),
        ];
        assert_eq!(scripts_of(text), expected);
    }

    #[test]
    fn a_list_has_a_name_and_a_reason_a_line() {
        let entries = of_list("l.txt", "# why\n\ntest_a.B.*: no such thing: none\n");
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].name, "test_a.B.*");
        let reason = "no such thing: none".to_owned();
        assert_eq!(entries[0].verdict, Verdict::NotApplicable(reason));
        assert_eq!(entries[0].place.1, 3);
    }
}
