//! From a method and a path to what is wanted.

use hyper::{Method, Uri};

use super::refusal::Refusal;
use crate::jobs::model::RunId;

/// What a request wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `GET /`: the page.
    Page,
    /// `GET /api/status`: everything the page shows.
    Status,
    /// `GET /api/events`: the same, again whenever it changes.
    Events,
    /// `GET /api/jobs`.
    Jobs,
    /// `GET /api/runs?job=&limit=`.
    Runs {
        /// Of this job only.
        job: Option<String>,
        /// At most so many, newest first.
        limit: u32,
    },
    /// `GET /api/runs/ID`.
    Run(RunId),
    /// `POST /api/jobs/NAME/run`.
    Start(String),
    /// `DELETE /api/runs/ID`.
    Cancel(RunId),
    /// `GET /metrics`.
    Metrics,
}

/// Finds what a request wants; `HEAD` is `GET` without the body.
///
/// # Errors
///
/// 400, 404 or 405, each with its reason.
pub fn route(method: &Method, uri: &Uri) -> Result<Route, Refusal> {
    let segments = uri
        .path()
        .split('/')
        .skip(1)
        .map(decode)
        .collect::<Option<Vec<String>>>()
        .ok_or_else(|| Refusal::bad_request("the path is not percent-encoded UTF-8"))?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let get = |route: Route| match *method {
        Method::GET | Method::HEAD => Ok(route),
        _ => Err(Refusal::method("GET, HEAD")),
    };
    let query = uri.query().unwrap_or("");
    match segments.as_slice() {
        [""] => get(Route::Page),
        ["metrics"] => get(Route::Metrics),
        ["api", "status"] => get(Route::Status),
        ["api", "events"] => get(Route::Events),
        ["api", "jobs"] => get(Route::Jobs),
        ["api", "runs"] => get(Route::Page).and_then(|_| runs(query)),
        ["api", "runs", id] => match *method {
            Method::GET | Method::HEAD => run_id(id).map(Route::Run),
            Method::DELETE => run_id(id).map(Route::Cancel),
            _ => Err(Refusal::method("GET, HEAD, DELETE")),
        },
        ["api", "jobs", name, "run"] => match *method {
            Method::POST => Ok(Route::Start((*name).to_owned())),
            _ => Err(Refusal::method("POST")),
        },
        _ => Err(Refusal::not_found("there is nothing at this path")),
    }
}

fn run_id(text: &str) -> Result<RunId, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad_request(format!("{text:?} is not the number of a run")))
}

fn runs(query: &str) -> Result<Route, Refusal> {
    let (mut job, mut limit) = (None, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(&value.replace('+', " "))
            .ok_or_else(|| Refusal::bad_request("the query is not percent-encoded UTF-8"))?;
        let is_new = match key {
            "job" if value.is_empty() => true,
            "job" => job.replace(value).is_none(),
            "limit" if value.is_empty() => true,
            "limit" => limit.replace(run_limit(&value)?).is_none(),
            _ => return Err(Refusal::bad_request(format!("unknown parameter {key:?}"))),
        };
        if !is_new {
            return Err(Refusal::bad_request(format!(
                "the parameter {key:?} is there twice"
            )));
        }
    }
    Ok(Route::Runs {
        job,
        limit: limit.unwrap_or(DEFAULT_RUNS),
    })
}

fn run_limit(text: &str) -> Result<u32, Refusal> {
    let limit = text
        .parse()
        .ok()
        .filter(|limit| (1..=MAX_RUNS).contains(limit));
    limit.ok_or_else(|| Refusal::bad_request(format!("limit must be from 1 to {MAX_RUNS}")))
}

/// Undoes percent-encoding; `None` if it is not well-formed or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

const DEFAULT_RUNS: u32 = 50;
const MAX_RUNS: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, uri: &str) -> Result<Route, (u16, Option<&'static str>)> {
        route(&method.parse().unwrap(), &uri.parse().unwrap())
            .map_err(|refusal| (refusal.status.as_u16(), refusal.allow))
    }

    #[test]
    fn every_resource_has_its_path() {
        let runs = |job: Option<&str>, limit| Route::Runs {
            job: job.map(str::to_owned),
            limit,
        };
        for (method, uri, expected) in [
            ("GET", "/", Route::Page),
            ("HEAD", "/?x=1", Route::Page),
            ("GET", "/metrics", Route::Metrics),
            ("GET", "/api/status", Route::Status),
            ("GET", "/api/events", Route::Events),
            ("GET", "/api/jobs", Route::Jobs),
            ("GET", "/api/runs", runs(None, 50)),
            ("GET", "/api/runs?job=&limit=", runs(None, 50)),
            (
                "GET",
                "/api/runs?job=a+b%26%C3%A4&limit=7",
                runs(Some("a b&ä"), 7),
            ),
            ("GET", "/api/runs/12", Route::Run(12)),
            ("DELETE", "/api/runs/12", Route::Cancel(12)),
            (
                "POST",
                "/api/jobs/a%20b+c/run",
                Route::Start("a b+c".into()),
            ),
        ] {
            assert_eq!(of(method, uri), Ok(expected), "{method} {uri}");
        }
    }

    #[test]
    fn wrong_requests_are_told_apart() {
        for (method, uri, status, allow) in [
            ("GET", "/nothing", 404, None),
            ("GET", "/api", 404, None),
            ("GET", "/api/jobs/", 404, None),
            ("GET", "/api/jobs/a/b/run", 404, None),
            ("POST", "/", 405, Some("GET, HEAD")),
            ("POST", "/api/runs", 405, Some("GET, HEAD")),
            ("DELETE", "/metrics", 405, Some("GET, HEAD")),
            ("PUT", "/api/runs/1", 405, Some("GET, HEAD, DELETE")),
            ("GET", "/api/jobs/a/run", 405, Some("POST")),
            ("GET", "/api/runs/x", 400, None),
            ("DELETE", "/api/runs/99999999999999999999", 400, None),
            ("GET", "/api/runs?limit=0", 400, None),
            ("GET", "/api/runs?limit=501", 400, None),
            ("GET", "/api/runs?limit=-1", 400, None),
            ("GET", "/api/runs?limit=1&limit=2", 400, None),
            ("GET", "/api/runs?jbo=a", 400, None),
            ("GET", "/api/runs?job=%zz", 400, None),
            ("GET", "/api/runs?job=%ff", 400, None),
            ("POST", "/api/jobs/%/run", 400, None),
        ] {
            assert_eq!(of(method, uri), Err((status, allow)), "{method} {uri}");
        }
    }
}
