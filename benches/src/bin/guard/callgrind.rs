//! A run of one path under callgrind.

use crate::paths::{Counted, Path};
use std::path::Path as File;
use std::process::Command;

/// Callgrind counts only while this function runs: see [`crate::paths`].
const MARK: &str = "*counted_by_callgrind*";

/// glibc chooses how to copy memory by the processor; these variants are not
/// the same everywhere, so none of them is used.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-ERMS,-FSRM,-EVEX";

/// How many instructions the counted part of a path takes.
pub fn count(path: &Path, operations: u64, planted: u64) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let file = std::env::temp_dir().join(format!("polyloop-guard-{}", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        // Several threads: the one that has the turn keeps it for long.
        .arg("--fair-sched=no");
    if path.counted == Counted::Marked {
        valgrind.arg(format!("--toggle-collect={MARK}"));
    }
    valgrind
        .arg(own)
        .args(["run", path.name])
        .args([operations.to_string(), planted.to_string()])
        .env("GLIBC_TUNABLES", TUNABLES)
        .env_remove("POLYLOOP_DEBUG");
    let output = valgrind
        .output()
        .map_err(|error| format!("valgrind does not start ({error}); is it installed?"))?;
    let counted = total(&file, path.counted);
    remove_all(&file);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}\n{said}", path.name, output.status));
    }
    counted.map_err(|error| format!("{}: {error}", path.name))
}

/// What callgrind wrote for the thread that counts.
fn total(file: &File, counted: Counted) -> Result<u64, String> {
    let thread = match counted {
        Counted::Marked => "-01",
        Counted::SecondThread => "-02",
    };
    let mut name = file.as_os_str().to_owned();
    name.push(thread);
    let text = std::fs::read_to_string(&name)
        .map_err(|error| format!("{}: {error}", name.to_string_lossy()))?;
    total_in(&text).ok_or_else(|| "callgrind counted nothing".to_owned())
}

fn total_in(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "));
    line?.trim().parse().ok().filter(|total| *total > 0)
}

/// One file a thread, and one that names them.
fn remove_all(file: &File) {
    for thread in ["", "-01", "-02"] {
        let mut name = file.as_os_str().to_owned();
        name.push(thread);
        // What is not there needs no removing.
        let _ = std::fs::remove_file(name);
    }
}

#[cfg(test)]
mod tests {
    use super::total_in;

    #[test]
    fn the_total_is_found_in_what_callgrind_writes() {
        let text = "events: Ir\nsummary: 7\n\nfn=(1) main\n16 3\n\ntotals: 1234\n";
        assert_eq!(total_in(text), Some(1234));
        assert_eq!(total_in("events: Ir\ntotals: 0\n"), None);
        assert_eq!(total_in(""), None);
    }
}
