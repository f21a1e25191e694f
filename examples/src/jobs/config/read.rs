//! From TOML to [`Config`]; every refusal knows its place in the text.

use std::collections::HashSet;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Action, Config, Job, Overlap, Probe, SHELL};
use crate::jobs::duration;

/// A reason, and the byte where the mistake stands.
pub(super) struct Mistake {
    pub(super) at: usize,
    pub(super) reason: String,
}

pub(super) fn config(text: &str) -> Result<Config, Mistake> {
    let raw: RawConfig = toml::from_str(text).map_err(|error| Mistake {
        at: error.span().map_or(text.len(), |span| span.start),
        reason: error.message().to_owned(),
    })?;
    let history = match raw.history {
        None => DEFAULT_HISTORY,
        Some(n) if HISTORY.contains(n.get_ref()) => *n.get_ref(),
        Some(n) => {
            return Err(at(
                &n,
                format!("history must be from 1 to {}", HISTORY.end - 1),
            ));
        }
    };
    if raw.job.is_empty() {
        return Err(Mistake {
            at: text.len(),
            reason: "no [[job]] in the file".to_owned(),
        });
    }
    let mut names = HashSet::new();
    let mut jobs = Vec::with_capacity(raw.job.len());
    for raw in raw.job {
        let name = raw.get_ref().name.clone();
        jobs.push(job(raw)?);
        if !names.insert(name.get_ref().clone()) {
            let reason = format!("there is already a job named {:?}", name.get_ref());
            return Err(at(&name, reason));
        }
    }
    Ok(Config { history, jobs })
}

fn job(raw: Spanned<RawJob>) -> Result<Job, Mistake> {
    let place = raw.span();
    let raw = raw.into_inner();
    let name = job_name(&raw.name)?;
    let every = period("every", &raw.every)?;
    let timeout = match &raw.timeout {
        Some(text) => period("timeout", text)?,
        None => DEFAULT_TIMEOUT,
    };
    let overlap = overlap(raw.overlap.as_ref(), raw.queue_limit.as_ref())?;
    let about = raw.about.clone();
    Ok(Job {
        action: action(&name, place, raw)?,
        name,
        about,
        every,
        timeout,
        overlap,
    })
}

fn job_name(name: &Spanned<String>) -> Result<String, Mistake> {
    let text = name.get_ref();
    if text.is_empty() || text.chars().count() > MAX_NAME {
        return Err(at(name, format!("a name has 1 to {MAX_NAME} characters")));
    }
    if text.trim() != text || text.chars().any(|c| c.is_control() || c == '/') {
        let reason = "a name has no '/', no control character and no space at its ends";
        return Err(at(name, reason.to_owned()));
    }
    Ok(text.clone())
}

fn period(key: &str, text: &Spanned<String>) -> Result<Duration, Mistake> {
    let value = duration::parse(text.get_ref()).map_err(|why| at(text, format!("{key}: {why}")))?;
    if !(SHORTEST..=LONGEST).contains(&value) {
        let (low, high) = (duration::format(SHORTEST), duration::format(LONGEST));
        let reason = format!("{key} = {:?} must be from {low} to {high}", text.get_ref());
        return Err(at(text, reason));
    }
    Ok(value)
}

fn overlap(
    word: Option<&Spanned<String>>,
    limit: Option<&Spanned<usize>>,
) -> Result<Overlap, Mistake> {
    let overlap = match word.map(|word| (word, word.get_ref().as_str())) {
        None | Some((_, "skip")) => Overlap::Skip,
        Some((_, "allow")) => Overlap::Allow,
        Some((_, "queue")) => Overlap::Queue {
            limit: DEFAULT_QUEUE,
        },
        Some((word, other)) => {
            let reason = format!("overlap is \"allow\", \"skip\" or \"queue\", not {other:?}");
            return Err(at(word, reason));
        }
    };
    match (overlap, limit) {
        (overlap, None) => Ok(overlap),
        (Overlap::Queue { .. }, Some(limit)) if (1..=MAX_QUEUE).contains(limit.get_ref()) => {
            Ok(Overlap::Queue {
                limit: *limit.get_ref(),
            })
        }
        (Overlap::Queue { .. }, Some(limit)) => Err(at(
            limit,
            format!("queue_limit must be from 1 to {MAX_QUEUE}"),
        )),
        (_, Some(limit)) => Err(at(
            limit,
            "queue_limit needs overlap = \"queue\"".to_owned(),
        )),
    }
}

fn action(name: &str, place: Range<usize>, raw: RawJob) -> Result<Action, Mistake> {
    let mut given: Vec<(&str, Spanned<Value>)> = [
        ("command", raw.command),
        ("http", raw.http),
        ("digest", raw.digest),
        ("sql", raw.sql),
    ]
    .into_iter()
    .filter_map(|(key, value)| value.map(|value| (key, value)))
    .collect();
    given.sort_by_key(|(_, value)| value.span().start);
    if let [(first, _), (second, value), ..] = given.as_slice() {
        let reason = format!("job {name:?} has both {first} and {second}; a job has one action");
        return Err(at(value, reason));
    }
    let Some((key, value)) = given.pop() else {
        let reason = format!("job {name:?} has no action: add command, http, digest or sql");
        return Err(Mistake {
            at: place.start,
            reason,
        });
    };
    if let Some(database) = raw.database.as_ref().filter(|_| key != "sql") {
        return Err(at(database, "database goes with sql only".to_owned()));
    }
    match key {
        "command" => command(&value).map(Action::Command),
        "http" => text(key, &value)
            .and_then(|url| probe(url, &value))
            .map(Action::Http),
        "digest" => patterns(&value).map(Action::Digest),
        _ => Ok(Action::Sql {
            query: text(key, &value)?.to_owned(),
            database: raw.database.map(|path| PathBuf::from(path.into_inner())),
        }),
    }
}

/// A string goes to the shell; a list is the program and its arguments, as they are.
fn command(value: &Spanned<Value>) -> Result<Vec<String>, Mistake> {
    match value.get_ref() {
        Value::String(_) => {
            let script = text("command", value)?;
            Ok(vec![SHELL.to_owned(), "-c".to_owned(), script.to_owned()])
        }
        _ => texts("command", value),
    }
}

fn text<'a>(key: &str, value: &'a Spanned<Value>) -> Result<&'a str, Mistake> {
    match value.get_ref().as_str().map(str::trim) {
        Some("") => Err(at(value, format!("{key} is empty"))),
        Some(text) if text.contains('\0') => Err(at(value, format!("{key} has a NUL in it"))),
        Some(text) => Ok(text),
        None => Err(at(value, format!("{key} must be a string"))),
    }
}

/// One string or a list of strings, none of it empty.
fn texts(key: &str, value: &Spanned<Value>) -> Result<Vec<String>, Mistake> {
    let Value::Array(items) = value.get_ref() else {
        return Ok(vec![text(key, value)?.to_owned()]);
    };
    let wrong = || {
        at(
            value,
            format!("{key} must be a string or a list of strings"),
        )
    };
    let strings: Vec<String> = items
        .iter()
        .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect::<Result<_, _>>()?;
    if strings.first().is_none_or(String::is_empty) {
        return Err(at(value, format!("{key} is empty")));
    }
    if strings.iter().any(|item| item.contains('\0')) {
        return Err(at(value, format!("{key} has a NUL in it")));
    }
    Ok(strings)
}

fn patterns(value: &Spanned<Value>) -> Result<Vec<String>, Mistake> {
    let patterns = texts("digest", value)?;
    for pattern in &patterns {
        let wrong = |why| {
            at(
                value,
                format!("digest: {pattern:?} is not a pattern: {why}"),
            )
        };
        glob::Pattern::new(pattern).map_err(wrong)?;
    }
    Ok(patterns)
}

fn probe(url: &str, value: &Spanned<Value>) -> Result<Probe, Mistake> {
    let uri: Uri = url
        .parse()
        .map_err(|why| at(value, format!("{url:?} is not a URL: {why}")))?;
    let path = uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => Ok(Probe::Own { path }),
        (Some("http"), Some(authority)) if authority.as_str().contains('@') => Err(at(
            value,
            "a probe sends no user name: leave out what is before '@'".to_owned(),
        )),
        (Some("http"), Some(authority)) => Ok(Probe::Elsewhere {
            authority: authority.as_str().to_owned(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path,
        }),
        (Some("https"), _) => {
            let reason = "https:// is not supported: probes speak plain HTTP; \
                          use command = [\"curl\", \"-fsS\", \"https://…\"]";
            Err(at(value, reason.to_owned()))
        }
        _ => {
            let reason = "http is a URL such as \"http://127.0.0.1:8080/health\", \
                          or a path such as \"/metrics\" of this service itself";
            Err(at(value, reason.to_owned()))
        }
    }
}

fn at<T>(place: &Spanned<T>, reason: String) -> Mistake {
    Mistake {
        at: place.span().start,
        reason,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    history: Option<Spanned<u32>>,
    #[serde(default)]
    job: Vec<Spanned<RawJob>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    name: Spanned<String>,
    about: Option<String>,
    every: Spanned<String>,
    timeout: Option<Spanned<String>>,
    overlap: Option<Spanned<String>>,
    queue_limit: Option<Spanned<usize>>,
    command: Option<Spanned<Value>>,
    http: Option<Spanned<Value>>,
    digest: Option<Spanned<Value>>,
    sql: Option<Spanned<Value>>,
    database: Option<Spanned<String>>,
}

/// Shorter periods would measure the machine, not run jobs.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_QUEUE: usize = 16;
const MAX_QUEUE: usize = 1000;
const MAX_NAME: usize = 64;
const DEFAULT_HISTORY: u32 = 500;
const HISTORY: Range<u32> = 1..1_000_001;
