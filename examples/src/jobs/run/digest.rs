//! The blocking parts of the `digest` action: finding files and reading them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, glob_with};
use sha2::{Digest, Sha256};

use super::stop::StopSignal;

/// The files that the patterns name, sorted, each once.
///
/// # Errors
///
/// A pattern names no file, or all together name too many.
pub fn find(patterns: &[String]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for pattern in patterns {
        let found = glob_with(pattern, MATCH).map_err(|why| format!("{pattern}: {why}"))?;
        let before = files.len();
        for path in found {
            let path = path.map_err(|why| why.to_string())?;
            if !path.is_dir() {
                files.push(path);
            }
            if files.len() > MAX_FILES {
                return Err(format!(
                    "{pattern}: more than {MAX_FILES} files; name fewer"
                ));
            }
        }
        if files.len() == before {
            return Err(format!("{pattern}: no such file"));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
///
/// The file cannot be read, is not a plain file, or the order to stop came.
pub fn of_file(path: &Path, stop: &StopSignal) -> Result<String, String> {
    // Opening a FIFO would wait for a writer, and a device may have no end.
    if !fs::metadata(path).map_err(|why| why.to_string())?.is_file() {
        return Err("not a plain file".to_owned());
    }
    let mut file = File::open(path).map_err(|why| why.to_string())?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        if stop.is_set() {
            return Err("stopped".to_owned());
        }
        let count = file.read(&mut buffer).map_err(|why| why.to_string())?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// Files of one run.
const MAX_FILES: usize = 1000;

/// As in a shell: `*` stops at `/` and does not name hidden files.
const MATCH: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::run::stop::order;

    #[test]
    fn digests_are_those_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let (_stop, signal) = order().unwrap();
        for (name, content, expected) in [
            (
                "empty",
                "",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                "abc",
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            assert_eq!(of_file(&path, &signal).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let (stop, signal) = order().unwrap();
        assert!(
            of_file(Path::new("/nowhere"), &signal)
                .unwrap_err()
                .contains("No such file")
        );
        assert_eq!(
            of_file(Path::new("/dev/zero"), &signal).unwrap_err(),
            "not a plain file"
        );
        drop(stop);
        assert_eq!(
            of_file(Path::new("/proc/self/exe"), &signal).unwrap_err(),
            "stopped"
        );
    }

    #[test]
    fn patterns_name_files_sorted_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["b.txt", "a.txt", "c.md", ".hidden.txt"] {
            fs::write(at(name), name).unwrap();
        }
        fs::create_dir(at("folder.txt")).unwrap();
        let pattern = |name: &str| at(name).display().to_string();
        let found = find(&[pattern("*.txt"), pattern("a.txt")]);
        assert_eq!(found, Ok(vec![at("a.txt"), at("b.txt")]));
        assert!(
            find(&[pattern("*.rs")])
                .unwrap_err()
                .contains("no such file")
        );
        assert!(
            find(&[pattern("folder.txt")])
                .unwrap_err()
                .contains("no such file")
        );
    }
}
