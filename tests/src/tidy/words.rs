//! Words that do not belong into committed files.

use super::source::{code_of, has_word};

/// The calls that stand for code not yet written, or for a forgotten look.
const STUBS: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// The stubs in a Rust file, as `(line, name)`.
pub fn stubs(text: &str) -> Vec<(usize, &'static str)> {
    let code = code_of(text);
    let mut found = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for stub in STUBS {
            if line.contains(&format!("{stub}!")) && has_word(line, stub) {
                found.push((at + 1, stub));
            }
        }
    }
    found
}

/// What [`forbidden_words`] looks for.
#[derive(Debug, Clone)]
pub struct Words {
    /// Never, in any case of letters.
    pub never: Vec<String>,
    /// The hosts that an address may name; with a dot in front, all that end so.
    pub hosts: Vec<&'static str>,
}

/// The forbidden words of a file, as `(line, word)`: those of the list, and
/// the host of any address that is not a known one.
pub fn forbidden_words(text: &str, words: &Words) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let lower = line.to_lowercase();
        for word in &words.never {
            if lower.contains(word.as_str()) {
                found.push((at + 1, word.clone()));
            }
        }
        for host in hosts_of(&lower) {
            if !words.hosts.iter().any(|known| is_host(host, known)) {
                found.push((at + 1, host.to_owned()));
            }
        }
    }
    found
}

fn is_host(host: &str, known: &str) -> bool {
    host == known || (known.starts_with('.') && host.ends_with(known))
}

/// The hosts of the addresses in a line.
fn hosts_of(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("://").filter_map(|(at, mark)| {
        let scheme = &line[..at];
        if !(scheme.ends_with("http") || scheme.ends_with("https")) {
            return None;
        }
        let rest = &line[at + mark.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-:@".contains(c)));
        let authority = &rest[..end.unwrap_or(rest.len())];
        let host = authority.rsplit('@').next()?.split(':').next()?;
        Some(host.trim_end_matches('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_are_found_in_code_only() {
        assert_eq!(stubs("fn f() {\n    todo!()\n}"), [(2, "todo")]);
        assert_eq!(stubs("let a = dbg!(b);"), [(1, "dbg")]);
        assert!(stubs("// todo!()\nlet a = \"unimplemented!\";\nmy_todo!()").is_empty());
    }

    #[test]
    fn forbidden_words_and_unknown_hosts_are_found() {
        let words = Words {
            never: vec!["/planted/".into()],
            hosts: vec!["localhost", ".example"],
        };
        let text =
            "see /Planted/x\nhttp://localhost:80/\nhttps://elsewhere.invalid/a http://a.example";
        assert_eq!(
            forbidden_words(text, &words),
            [
                (1, "/planted/".to_owned()),
                (3, "elsewhere.invalid".to_owned())
            ]
        );
    }
}
