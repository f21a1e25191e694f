//! Answers to wrong requests: a 4xx or 5xx with `{"error": "…"}`.

use hyper::StatusCode;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The answer's status.
    pub status: StatusCode,
    /// A sentence for whoever made the request.
    pub reason: String,
    /// With 405: the methods that the resource has.
    pub allow: Option<&'static str>,
}

impl Refusal {
    /// A refusal with this status and reason.
    #[must_use]
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.into(),
            allow: None,
        }
    }

    /// 400.
    #[must_use]
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    /// 404.
    #[must_use]
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason)
    }

    /// 409.
    #[must_use]
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, reason)
    }

    /// 503.
    #[must_use]
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }

    /// 405 with the methods that would do.
    #[must_use]
    pub fn method(allow: &'static str) -> Self {
        let reason = format!("this resource answers to {allow}");
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, reason)
        }
    }
}
