//! The one screen that the service leaves behind.

use std::fmt;
use std::time::Duration;

use super::desk::Desk;
use crate::jobs::duration;
use crate::jobs::model::Status;

/// What the service did.
#[derive(Clone, Debug)]
pub struct Report {
    /// How long it ran.
    pub uptime: Duration,
    /// Runs that were asked to stop because the grace period was over.
    pub cut_short: usize,
    /// Runs that did not stop even then; their rows say `interrupted` next time.
    pub abandoned: usize,
    /// What else did not end as it should.
    pub remarks: Vec<String>,
    rows: Vec<(String, Vec<u64>, u64)>,
}

impl Report {
    pub(super) fn new(desk: &Desk, cut_short: usize, abandoned: usize) -> Self {
        let row = |job: &super::job::JobState| {
            let counts = COLUMNS.map(|status| job.ended(status)).to_vec();
            (job.job.name.clone(), counts, job.missed.get())
        };
        Self {
            uptime: desk.origin.elapsed(),
            cut_short,
            abandoned,
            remarks: Vec::new(),
            rows: desk.jobs.iter().map(row).collect(),
        }
    }

    pub(super) fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::from_secs(self.uptime.as_secs().max(1));
        writeln!(f, "jobs: ended after {}", duration::format(seconds))?;
        let names = self.rows.iter().map(|(name, ..)| name.chars().count());
        let width = names.max().unwrap_or(0).max(3);
        write!(f, "  {:width$}", "job")?;
        for status in COLUMNS {
            write!(f, "  {:>9}", status.as_str())?;
        }
        writeln!(f, "  {:>9}", "missed")?;
        let shown = if self.rows.len() > SCREEN {
            SCREEN - 1
        } else {
            self.rows.len()
        };
        for (name, counts, missed) in &self.rows[..shown] {
            line(f, name, counts, *missed, width)?;
        }
        let hidden = &self.rows[shown..];
        if !hidden.is_empty() {
            writeln!(f, "  … and {} more jobs", hidden.len())?;
        }
        if self.rows.len() > 1 {
            let missed = self.rows.iter().map(|(.., missed)| missed).sum();
            let sum = |column: usize| self.rows.iter().map(|(_, counts, _)| counts[column]).sum();
            let sums: Vec<u64> = (0..COLUMNS.len()).map(sum).collect();
            line(f, "all", &sums, missed, width)?;
        }
        if self.cut_short > 0 {
            writeln!(
                f,
                "  {} cancelled at the end of the grace period",
                self.cut_short
            )?;
        }
        if self.abandoned > 0 {
            writeln!(f, "  {} did not stop and were left behind", self.abandoned)?;
        }
        for remark in &self.remarks {
            writeln!(f, "  {remark}")?;
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    counts: &[u64],
    missed: u64,
    width: usize,
) -> fmt::Result {
    write!(f, "  {name:width$}")?;
    for count in counts {
        write!(f, "  {count:>9}")?;
    }
    writeln!(f, "  {missed:>9}")
}

const COLUMNS: [Status; 5] = [
    Status::Ok,
    Status::Failed,
    Status::Timeout,
    Status::Cancelled,
    Status::Skipped,
];

/// Jobs that fit on a screen with the lines around them.
const SCREEN: usize = 16;
