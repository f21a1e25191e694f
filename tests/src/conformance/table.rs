//! The table as a page.

use super::check::expand;
use super::{Entry, Verdict};
use std::fmt::Write;

const HEAD: &str = "\
# CPython's asyncio tests, and what became of them here

Made from the tests in this folder and the lists in `not_applicable/`; do not
edit it. `POLYLOOP_BLESS=1 cargo test -p polyloop-tests --test conformance table`
writes it anew.

*same*: the Rust test fixes the same behaviour. *adapted*: kept, in the form that
Rust gives it. *not applicable*: it has no meaning here, or stands for something
that this project does not have. Names are CPython 3.14's; a test of a base class
is named once, by that class.
";

#[derive(Default, Clone, Copy)]
struct Counts {
    same: usize,
    adapted: usize,
    not_applicable: usize,
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Same => self.same += 1,
            Verdict::Adapted(_) => self.adapted += 1,
            Verdict::NotApplicable(_) => self.not_applicable += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {} | {} | {} |\n",
            self.same, self.adapted, self.not_applicable
        )
    }
}

/// The page for these verdicts on the tests that `known` lists, in its order.
pub fn table(entries: &[Entry], known: &[String], scripts: &[(String, Option<String>)]) -> String {
    let verdicts = expand(entries, known);
    let mut page = HEAD.to_owned();
    let mut total = Counts::default();
    let mut sums = String::new();
    let mut files: Vec<&str> = known.iter().map(|name| file_of(name)).collect();
    files.dedup();
    for file in files {
        let mut counts = Counts::default();
        let mut class = "";
        for name in known.iter().filter(|name| file_of(name) == file) {
            let Some(said) = verdicts.get(name.as_str()) else {
                continue;
            };
            let (this, test) = name.rsplit_once('.').unwrap_or(("", name));
            if this != class {
                class = this;
                let _ = write!(
                    page,
                    "\n## {class}\n\n| test | verdict | how, why | here |\n|---|---|---|---|\n"
                );
            }
            let verdict = &said[0].verdict;
            counts.add(verdict);
            total.add(verdict);
            page.push_str(&row(test, said));
        }
        if counts.same + counts.adapted + counts.not_applicable > 0 {
            sums.push_str(&counts.row(file));
        }
    }
    page.push_str(&differential(scripts));
    page.push_str("\n# Counts\n\n| file | same | adapted | not applicable |\n|---|---|---|---|\n");
    page.push_str(&sums);
    page.push_str(&total.row("**all**"));
    page
}

/// The part about the scripts that are run in both languages.
fn differential(scripts: &[(String, Option<String>)]) -> String {
    let adapted = scripts.iter().filter_map(|(name, reason)| {
        let reason = reason.as_ref()?;
        Some(format!("| `{name}` | {} |\n", reason.replace('|', "\\|")))
    });
    let adapted: Vec<_> = adapted.collect();
    format!(
        "\n# Differential scripts\n\n{} scripts of `differential/` are run by asyncio and \
         here; the traces of {} are equal, and these differ:\n\n| script | why |\n|---|---|\n{}",
        scripts.len(),
        scripts.len() - adapted.len(),
        adapted.concat()
    )
}

fn row(test: &str, said: &[&Entry]) -> String {
    let mut reasons: Vec<_> = said.iter().map(|entry| entry.verdict.reason()).collect();
    reasons.dedup();
    let tests: Vec<_> = said
        .iter()
        .filter_map(|entry| entry.test.as_ref())
        .map(|test| format!("`{test}`"))
        .collect();
    format!(
        "| `{test}` | {} | {} | {} |\n",
        said[0].verdict,
        reasons.join("; ").replace('|', "\\|"),
        tests.join(", ")
    )
}

fn file_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::super::{of_list, of_rust};
    use super::*;

    #[test]
    fn the_page_has_a_row_a_test_and_the_counts() {
        let known = ["test_a.B.test_c", "test_a.B.test_d", "test_e.F.test_g"];
        let known = known.map(str::to_owned);
        let mut entries = of_rust("a.rs", "/// same test_a.B.test_c\nfn test_c() {}\n");
        entries.extend(of_list("l", "test_a.B.test_d: a | b\n"));
        let scripts = [
            ("x".to_owned(), Some("so".to_owned())),
            ("y".to_owned(), None),
        ];
        let page = table(&entries, &known, &scripts);
        assert!(page.contains("## test_a.B\n"));
        assert!(page.contains("| `test_c` | same |  | `a.rs test_c` |"));
        assert!(page.contains("| `test_d` | not applicable | a \\| b |  |"));
        assert!(page.contains("| test_a | 1 | 0 | 1 |\n| **all** | 1 | 0 | 1 |\n"));
        assert!(!page.contains("test_e"));
        assert!(page.contains("the traces of 1 are equal") && page.contains("| `x` | so |"));
    }
}
