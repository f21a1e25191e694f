//! What can be told of one `Cargo.toml`, line by line.

/// Does the crate take the workspace's lints?
pub fn inherits_lints(manifest: &str) -> bool {
    section(manifest, |name| name == "lints").any(|(_, line)| line == "workspace = true")
}

/// The dependencies without a comment above them that says why they are there,
/// as `(line, text)`. The crates of `own`, the workspace's, need none.
pub fn uncommented_dependencies(manifest: &str, own: &[&str]) -> Vec<(usize, String)> {
    let lines: Vec<&str> = manifest.lines().map(str::trim).collect();
    let is_dependencies = |name: &str| name.ends_with("dependencies");
    section(manifest, is_dependencies)
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#') && line.contains('='))
        .filter(|(_, line)| !own.contains(&dependency_name(line)))
        .filter(|(at, _)| {
            !at.checked_sub(1)
                .is_some_and(|above| lines[above].starts_with('#'))
        })
        .map(|(at, line)| (at + 1, line.to_owned()))
        .collect()
}

fn dependency_name(line: &str) -> &str {
    let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
    &line[..end]
}

/// The lines, numbered from 0, of the sections whose names `wanted` accepts.
fn section(manifest: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    manifest
        .lines()
        .map(str::trim)
        .enumerate()
        .filter(move |(_, line)| {
            if let Some(name) = line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                inside = wanted(name);
                return false;
            }
            inside
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_shared_lints_is_found() {
        assert!(inherits_lints(
            "[package]\nname = \"a\"\n[lints]\nworkspace = true\n"
        ));
        assert!(!inherits_lints("[package]\nworkspace = true\n[lints]\n"));
    }

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let text = "[dependencies]\nown.workspace = true\n# Why.\na = \"1\"\nb = \"2\"\n\
                    [target.'cfg(unix)'.dependencies]\nc = \"3\"\n[features]\nd = []\n";
        let found = uncommented_dependencies(text, &["own"]);
        assert_eq!(
            found,
            [(5, "b = \"2\"".to_owned()), (7, "c = \"3\"".to_owned())]
        );
    }
}
