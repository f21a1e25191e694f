//! From a request to its answer.

use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Request, Response, StatusCode};
use polyloop::timeout;
use serde::Serialize;
use serde_json::json;

use super::body::Body;
use super::guard::Guard;
use super::metrics;
use super::refusal::Refusal;
use super::route::{Route, route};
use crate::jobs::model::{RunId, Status};
use crate::jobs::page::page;
use crate::jobs::service::client::{DeskClient, Gone};
use crate::jobs::service::desk::Refused;
use crate::jobs::service::history::History;
use crate::jobs::store::StoreError;

/// What answers are made from; every loop has a share of it.
pub struct Face {
    /// Names of this machine that other machines use for it.
    pub names: Vec<String>,
    /// The state.
    pub desk: DeskClient,
    /// The run history.
    pub history: History,
}

impl Face {
    /// Answers one request; a wrong one gets its reason.
    pub async fn answer(&self, guard: &Guard, request: Request<Incoming>) -> Response<Body> {
        let mut response = match self.try_answer(guard, request).await {
            Ok(response) => response,
            Err(refusal) => refused(&refusal),
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    async fn try_answer(
        &self,
        guard: &Guard,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Refusal> {
        guard.check(request.method(), request.uri(), request.headers())?;
        let route = route(request.method(), request.uri())?;
        discard(request.into_body()).await?;
        match route {
            Route::Page => Ok(self.page()),
            Route::Status => Ok(json(StatusCode::OK, &self.desk.status().await?)),
            Route::Jobs => self.jobs().await,
            Route::Events => self.events().await,
            Route::Metrics => {
                let text = metrics::text(&self.desk.status().await?);
                Ok(text_response(metrics::MEDIA_TYPE, text))
            }
            Route::Runs { job, limit } => self.runs(job, limit).await,
            Route::Run(id) => match self.history.run(id).await? {
                Some(run) => Ok(json(StatusCode::OK, &run)),
                None => Err(no_such_run(id)),
            },
            Route::Start(name) => self.start(name).await,
            Route::Cancel(id) => self.cancel(id).await,
        }
    }

    fn page(&self) -> Response<Body> {
        let page = page();
        let mut response = text_response("text/html; charset=utf-8", page.html.clone());
        let policy = HeaderValue::from_str(&page.policy).expect("the policy is plain ASCII");
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, policy);
        response
    }

    async fn jobs(&self) -> Result<Response<Body>, Refusal> {
        let mut jobs = self.desk.status().await?.jobs;
        for job in &mut jobs {
            job.recent.truncate(1);
        }
        Ok(json(StatusCode::OK, &json!({ "jobs": jobs })))
    }

    async fn events(&self) -> Result<Response<Body>, Refusal> {
        let messages = self.desk.open_page().await?.ok_or_else(|| {
            Refusal::unavailable("as many pages as are allowed are open; this one has to poll")
        })?;
        let mut response = Response::new(Body::stream(messages));
        let kind = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }

    async fn runs(&self, job: Option<String>, limit: u32) -> Result<Response<Body>, Refusal> {
        let runs = self.history.runs(job.clone(), limit).await?;
        // A job that has left the file still has its history; one that never was has not.
        if let Some(name) = job.filter(|_| runs.is_empty()) {
            let jobs = self.desk.status().await?.jobs;
            if jobs.iter().all(|job| job.name != name) {
                return Err(Refusal::not_found(format!(
                    "there is no job named {name:?}"
                )));
            }
        }
        Ok(json(StatusCode::OK, &json!({ "runs": runs })))
    }

    async fn start(&self, name: String) -> Result<Response<Body>, Refusal> {
        let (id, status) = self.desk.run_now(name).await??;
        Ok(json(
            StatusCode::ACCEPTED,
            &json!({ "id": id, "status": status }),
        ))
    }

    async fn cancel(&self, id: RunId) -> Result<Response<Body>, Refusal> {
        if self.desk.cancel(id).await? {
            return Ok(json(
                StatusCode::ACCEPTED,
                &json!({ "id": id, "status": "cancelling" }),
            ));
        }
        match self.history.run(id).await? {
            Some(run) if matches!(run.status, Status::Running | Status::Queued) => Err(
                Refusal::conflict(format!("run {id} is ending this very moment")),
            ),
            Some(run) => {
                let reason = format!("run {id} has already ended: {}", run.status.as_str());
                Err(Refusal::conflict(reason))
            }
            None => Err(no_such_run(id)),
        }
    }
}

/// No request has a use for a body; a small one is read so that the connection
/// can go on, a large one is refused.
async fn discard(body: Incoming) -> Result<(), Refusal> {
    let too_large = || {
        let reason = format!("a body here has at most {MAX_BODY} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    if body.size_hint().lower() > MAX_BODY {
        return Err(too_large());
    }
    let limit = usize::try_from(MAX_BODY).unwrap_or(usize::MAX);
    match timeout(BODY_TIME, Limited::new(body, limit).collect()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(why)) if why.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(why)) => Err(Refusal::bad_request(format!("the body is broken: {why}"))),
        Err(_elapsed) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not come in time",
        )),
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = json(refusal.status, &json!({ "error": refusal.reason }));
    if let Some(allow) = refusal.allow {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_string(value).expect("an answer is made of strings and numbers");
    let mut response = text_response("application/json", text);
    *response.status_mut() = status;
    response
}

fn text_response(kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::full(Bytes::from(text)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn no_such_run(id: RunId) -> Refusal {
    Refusal::not_found(format!("there is no run {id}"))
}

impl From<Gone> for Refusal {
    fn from(_: Gone) -> Self {
        Self::unavailable("the service is ending")
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::unavailable(format!("the run history does not answer: {error}"))
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let reason = refused.to_string();
        match refused {
            Refused::NoSuchJob => Self::not_found(reason),
            Refused::Overlap(_) => Self::conflict(reason),
            Refused::Stopping | Refused::Busy | Refused::Unrecorded(_) => Self::unavailable(reason),
        }
    }
}

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const MAX_BODY: u64 = 16 * 1024;
const BODY_TIME: Duration = Duration::from_secs(5);
