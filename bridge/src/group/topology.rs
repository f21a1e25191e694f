//! How the machine's processors lie, as Linux tells in `/sys`.
#![forbid(unsafe_code)]

use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A processor, in the system's sense: a thread of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cpu {
    pub(super) id: usize,
    pub(super) node: usize,
    pub(super) package: usize,
    pub(super) core: usize,
}

/// What the folder `system` says of these processors. What it does not say is
/// taken to be one node, one package, and a core each.
pub(super) fn cpus(system: &Path, allowed: &[usize]) -> Vec<Cpu> {
    let nodes = nodes(&system.join("node"));
    let cpu = |&id: &usize| {
        let topology = system.join(format!("cpu/cpu{id}/topology"));
        let node = nodes.iter().find(|(_, cpus)| cpus.contains(&id));
        Cpu {
            id,
            node: node.map_or(0, |(node, _)| *node),
            package: number(&topology.join("physical_package_id")).unwrap_or(0),
            core: number(&topology.join("core_id")).unwrap_or(id),
        }
    };
    allowed.iter().map(cpu).collect()
}

/// The memory nodes with their processors.
fn nodes(folder: &Path) -> Vec<(usize, Vec<usize>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let node = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let node = name.to_str()?.strip_prefix("node")?.parse().ok()?;
        let list = fs::read_to_string(entry.path().join("cpulist")).ok()?;
        Some((node, parse_list(&list)))
    };
    entries.flatten().filter_map(node).collect()
}

/// `0-3,8` as the system writes lists of processors.
fn parse_list(list: &str) -> Vec<usize> {
    let mut cpus = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cpus.extend(first..=last.min(first + MOST));
        }
    }
    cpus
}

fn number<T: FromStr>(file: &Path) -> Option<T> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// More processors than a machine has; a list that says otherwise is not
/// believed.
const MOST: usize = 1 << 16;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_system_writes_them() {
        assert_eq!(parse_list("0-2,5,8-9\n"), [0, 1, 2, 5, 8, 9]);
        assert_eq!(parse_list("\n"), [0; 0]);
        assert_eq!(parse_list("x,3-y"), [0; 0]);
    }

    #[test]
    fn a_tree_is_read_and_an_absent_one_is_no_obstacle() {
        let root = std::env::temp_dir().join(format!("polyloop-topology-{}", std::process::id()));
        for (cpu, package, core) in [(0, 0, 0), (1, 1, 0)] {
            let folder = root.join(format!("cpu/cpu{cpu}/topology"));
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("physical_package_id"), format!("{package}\n")).expect("a file");
            fs::write(folder.join("core_id"), format!("{core}\n")).expect("a file");
            let folder = root.join(format!("node/node{cpu}"));
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("cpulist"), format!("{cpu}\n")).expect("a file");
        }
        let read = cpus(&root, &[0, 1, 7]);
        fs::remove_dir_all(&root).expect("it was made here");
        let cpu = |id, node, package, core| Cpu {
            id,
            node,
            package,
            core,
        };
        assert_eq!(read, [cpu(0, 0, 0, 0), cpu(1, 1, 1, 0), cpu(7, 0, 0, 7)]);
        assert_eq!(cpus(&root, &[4]), [cpu(4, 0, 0, 4)]);
    }
}
