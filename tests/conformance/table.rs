//! The table is complete, free of contradictions, and up to date.

use polyloop_tests::conformance::{
    FOLDER, complaints, entries, list, scripts, table, unreachable_files,
};
use polyloop_tests::tidy::{root, rust_files};

#[test]
fn table_has_no_contradiction_and_no_gap() {
    let mut complaints = complaints(&entries(), &list("cpython.txt"), &list("complete.txt"));
    let mut files = rust_files();
    files.retain(|file| file.path.starts_with(FOLDER));
    complaints.extend(unreachable_files(&files));
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn table_is_up_to_date() {
    let page = table(&entries(), &list("cpython.txt"), &scripts());
    let path = root().join(FOLDER).join("TABLE.md");
    if std::env::var_os("POLYLOOP_BLESS").is_some() {
        std::fs::write(&path, &page).expect("the source tree is writable");
    }
    let written = std::fs::read_to_string(&path).expect("the table is there");
    let stale = "TABLE.md is stale: POLYLOOP_BLESS=1 cargo test -p polyloop-tests --test \
                 conformance table";
    assert!(written == page, "{stale}");
}
