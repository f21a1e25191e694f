//! The Prometheus text format.

use std::fmt::{Display, Write};

use super::view::{JobView, LoopView, StatusView};
use crate::jobs::model::Status;

/// The media type of [`text`].
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything worth watching from outside.
#[must_use]
pub fn text(status: &StatusView) -> String {
    let mut page = Page(String::new());
    page.family(
        "jobs_start_time_seconds",
        "gauge",
        "When the service started, since 1970 (UTC).",
    );
    page.sample("jobs_start_time_seconds", &[], seconds(status.started_ms));
    page.family(
        "jobs_interrupted",
        "gauge",
        "Runs left unfinished by a killed process.",
    );
    page.sample("jobs_interrupted", &[], status.interrupted);
    ended(&mut page, &status.jobs);
    going_on(&mut page, &status.jobs);
    loops(&mut page, &status.loops);
    page.0
}

fn ended(page: &mut Page, jobs: &[JobView]) {
    page.family(
        "jobs_runs_total",
        "counter",
        "Runs that ended, by how they ended.",
    );
    for job in jobs {
        for status in Status::ALL.map(Status::as_str) {
            if let Some(count) = job.ended.get(status) {
                page.sample(
                    "jobs_runs_total",
                    &[("job", &job.name), ("status", status)],
                    count,
                );
            }
        }
    }
    page.family(
        "jobs_missed_starts_total",
        "counter",
        "Starts left out after a sleep.",
    );
    for job in jobs {
        page.sample(
            "jobs_missed_starts_total",
            &[("job", &job.name)],
            job.missed,
        );
    }
    page.family(
        "jobs_run_duration_seconds",
        "summary",
        "Time taken by runs that ended.",
    );
    for job in jobs {
        let label = [("job", job.name.as_str())];
        let ran = job
            .ended
            .iter()
            .filter(|(status, _)| **status != Status::Skipped.as_str());
        let count: u64 = ran.map(|(_, count)| count).sum();
        let sum = job.duration_ms_sum as f64 / 1000.0;
        page.sample("jobs_run_duration_seconds_sum", &label, sum);
        page.sample("jobs_run_duration_seconds_count", &label, count);
    }
}

fn going_on(page: &mut Page, jobs: &[JobView]) {
    page.family("jobs_running", "gauge", "Runs going on.");
    for job in jobs {
        page.sample("jobs_running", &[("job", &job.name)], job.running);
    }
    page.family(
        "jobs_waiting",
        "gauge",
        "Runs waiting for the one before them.",
    );
    for job in jobs {
        page.sample("jobs_waiting", &[("job", &job.name)], job.waiting);
    }
    page.family(
        "jobs_next_start_seconds",
        "gauge",
        "The next start, since 1970 (UTC).",
    );
    for job in jobs {
        if let Some(next) = job.next_ms {
            page.sample(
                "jobs_next_start_seconds",
                &[("job", &job.name)],
                seconds(next),
            );
        }
    }
}

fn loops(page: &mut Page, loops: &[LoopView]) {
    page.family(
        "loop_busy_seconds_total",
        "counter",
        "Time the loop was not asleep.",
    );
    for each in loops {
        page.sample(
            "loop_busy_seconds_total",
            &[("loop", &each.name)],
            each.busy_seconds,
        );
    }
    page.family("loop_polls_total", "counter", "Tasks polled.");
    for each in loops {
        page.sample("loop_polls_total", &[("loop", &each.name)], each.polls);
    }
    page.family("loop_runs_total", "counter", "Runs given to the loop.");
    for each in loops {
        page.sample("loop_runs_total", &[("loop", &each.name)], each.runs);
    }
    page.family("loop_tasks", "gauge", "Tasks alive.");
    for each in loops {
        page.sample("loop_tasks", &[("loop", &each.name)], each.tasks);
    }
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.push(format_args!("{name}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            self.push(format_args!("{before}{label}=\"{}\"", escaped(text)));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.push(format_args!("{after} {value}\n"));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("a String takes all text");
    }
}

/// A label's value: backslash, quote and line feed are the three that need it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_their_family_and_labels_are_escaped() {
        let job = JobView {
            name: "a \"b\" \\ c\nd".into(),
            about: None,
            kind: "command",
            action: "true".into(),
            every_ms: 1000,
            timeout_ms: 1000,
            overlap: "skip",
            next_ms: Some(1_500),
            running: 1,
            waiting: 0,
            missed: 2,
            ended: [("ok", 3), ("skipped", 1)].into(),
            duration_ms_sum: 1_250,
            recent: Vec::new(),
        };
        let each = LoopView {
            name: "loop-0".into(),
            load: 0.5,
            tasks: 4,
            polls: 5,
            busy_seconds: 0.25,
            runs: 6,
        };
        let status = StatusView {
            now_ms: 2_000,
            started_ms: 1_000,
            stopping: false,
            interrupted: 7,
            jobs: vec![job],
            loops: vec![each],
        };
        let text = text(&status);
        for line in [
            "jobs_start_time_seconds 1",
            "jobs_interrupted 7",
            r#"jobs_runs_total{job="a \"b\" \\ c\nd",status="ok"} 3"#,
            r#"jobs_run_duration_seconds_sum{job="a \"b\" \\ c\nd"} 1.25"#,
            r#"jobs_run_duration_seconds_count{job="a \"b\" \\ c\nd"} 3"#,
            r#"jobs_next_start_seconds{job="a \"b\" \\ c\nd"} 1.5"#,
            r#"loop_busy_seconds_total{loop="loop-0"} 0.25"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        let mut family = "";
        for line in text.lines() {
            match line.strip_prefix("# TYPE ") {
                Some(rest) => family = rest.split(' ').next().unwrap(),
                None => assert!(line.starts_with('#') || line.starts_with(family), "{line}"),
            }
        }
        assert!(text.ends_with('\n'));
    }
}
