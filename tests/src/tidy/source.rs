//! What can be told of one Rust file.

/// A Rust file's code alone: comments and the insides of literals become
/// spaces, lines stay lines.
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = literal_or_comment(rest, before).unwrap_or(0);
        if length > 0 {
            let (gone, kept) = rest.split_at(length);
            code.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = kept;
            before = ' ';
        } else {
            code.push(first);
            before = first;
            rest = &rest[first.len_utf8()..];
        }
    }
    code
}

/// The length of the comment or literal that `rest` begins with.
fn literal_or_comment(rest: &str, before: char) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        return Some(1 + quoted(inside, '"'));
    }
    if !is_word(before) {
        let raw = rest.trim_start_matches(['b', 'c']).strip_prefix('r');
        if let Some(raw) = raw {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let end = format!("\"{}", &raw[..hashes]);
                let start = rest.len() - raw.len() + hashes + 1;
                let inside = rest[start..].find(&end);
                return Some(inside.map_or(rest.len(), |at| start + at + end.len()));
            }
        }
    }
    character(rest)
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length up to and with the closing quote.
fn quoted(inside: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    inside.len()
}

/// A character literal; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let mut chars = inside.chars();
    let first = chars.next()?;
    if first == '\\' || chars.next() == Some('\'') {
        return Some(1 + quoted(inside, '\''));
    }
    None
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text without its `#[cfg(test)]` modules, whose lines become empty. Goes
/// by rustfmt's indentation.
pub fn without_tests(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let attribute = line.trim_start();
        let is_test = attribute.starts_with("#[cfg(") && attribute.contains("test");
        let opens = lines
            .peek()
            .is_some_and(|next| next.trim_start().starts_with("mod ") && next.ends_with('{'));
        kept.push(line);
        if !(is_test && opens) {
            continue;
        }
        let indent = &line[..line.len() - attribute.len()];
        let end = format!("{indent}}}");
        for inside in lines.by_ref() {
            kept.push("");
            if inside == end {
                break;
            }
        }
    }
    kept.join("\n")
}

/// The functions longer than `limit` lines, as `(line, name, length)`. Goes by
/// rustfmt's indentation: from the line with `fn` to the line that is its
/// indentation and a brace.
pub fn long_functions(text: &str, limit: usize) -> Vec<(usize, String, usize)> {
    let code = code_of(text);
    let lines: Vec<&str> = code.lines().map(str::trim_end).collect();
    let mut long = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indent}}}");
        let body = &lines[first..];
        // A function without a body, or on one line, ends before any brace.
        let ends = body.iter().position(|line| {
            *line == end
                || (line.starts_with(indent) && line.trim_start().ends_with(';'))
                    && line.len() - line.trim_start().len() == indent.len()
        });
        if let Some(last) = ends
            && last + 1 > limit
        {
            long.push((first + 1, name.to_owned(), last + 1));
        }
    }
    long
}

/// The name of the function whose head this line begins.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let before = |word: &&str| {
        word.starts_with("pub")
            || matches!(
                *word,
                "const" | "async" | "unsafe" | "extern" | "in" | "super)" | "crate)"
            )
    };
    let word = words.by_ref().find(|word| !before(word))?;
    if word != "fn" {
        return None;
    }
    let rest = words.next()?;
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// Does the code, tests apart, have the word `unsafe`?
pub fn uses_unsafe(text: &str) -> bool {
    has_word(&code_of(&without_tests(text)), "unsafe")
}

/// The lines with an `#[ignore]`: a test that never runs promises nothing.
pub fn bare_ignores(text: &str) -> Vec<usize> {
    let code = code_of(text);
    let lines = code.lines().enumerate();
    lines
        .filter(|(_, line)| line.trim_start().starts_with("#[ignore"))
        .map(|(at, _)| at + 1)
        .collect()
}

/// Is `word` in `code` as a word of its own?
pub(super) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_no_code() {
        let text =
            "a // unsafe\n/* unsafe /* b */ unsafe */ \"unsafe\\\"\" r#\"un\"safe\"# 'x' '\\'' b";
        let code = code_of(text);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(code.lines().count(), 2);
        assert_eq!(code_of("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
    }

    #[test]
    fn an_unsafe_block_is_found_and_the_lint_of_that_name_is_not() {
        assert!(uses_unsafe("fn f() { unsafe { g() } }"));
        assert!(!uses_unsafe("#![forbid(unsafe_code)]\n// unsafe\n"));
        let in_tests = "fn f() {}\n#[cfg(test)]\nmod tests {\n    unsafe fn g() {}\n}\n";
        assert!(!uses_unsafe(in_tests));
    }

    #[test]
    fn a_long_function_is_found_with_its_line() {
        let body = "        work();\n".repeat(70);
        let text = format!("impl A {{\n    pub async fn long(&self) {{\n{body}    }}\n}}\n");
        assert_eq!(long_functions(&text, 70), [(2, "long".to_owned(), 72)]);
        assert!(long_functions(&text, 72).is_empty());
        let declared = format!("trait T {{\n    fn a(&self);\n{body}    }}\n");
        assert!(long_functions(&declared, 10).is_empty());
    }

    #[test]
    fn a_bare_ignore_is_found() {
        assert_eq!(bare_ignores("#[test]\n#[ignore]\nfn f() {}"), [2]);
        assert_eq!(bare_ignores("#[ignore = \"slow\"]"), [1]);
        assert!(bare_ignores("// #[ignore]").is_empty());
    }
}
