//! Which requests may come in at all.
//!
//! The service runs commands, so a page of somebody else that is open in the
//! user's browser must not be able to talk to it. Two headers that a page cannot
//! forge tell: `Host`, which a name that was rebound to this address would carry
//! wrongly, and `Origin`, which names the page that asks.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use hyper::{Method, StatusCode, Uri};

use super::refusal::Refusal;

/// The names under which the service is reached.
#[derive(Clone, Debug)]
pub struct Guard {
    own: Vec<String>,
    port: u16,
}

impl Guard {
    /// A guard for a connection that was accepted at `address`; `names` are further
    /// names that may stand in `Host`, without a port.
    #[must_use]
    pub fn new(address: SocketAddr, names: &[String]) -> Self {
        let mut own: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        own.push(literal(address.ip()));
        own.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        Self {
            own,
            port: address.port(),
        }
    }

    /// Lets a request pass or says why not.
    ///
    /// # Errors
    ///
    /// 400 without a usable `Host`, 421 when it is not the service's own, 403 when
    /// another site's page asks.
    pub fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = match (uri.authority(), only(headers, &HOST)?) {
            (Some(authority), _) => authority.as_str(),
            (None, Some(host)) => host,
            (None, None) => return Err(Refusal::bad_request("the request has no Host header")),
        };
        if !self.is_own(host) {
            let reason = format!("{host:?} is not a name of this service");
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, reason));
        }
        let foreign = |who: &str| {
            let reason = format!("requests from {who} are refused; use the service's own page");
            Err(Refusal::new(StatusCode::FORBIDDEN, reason))
        };
        if let Some(origin) = only(headers, &ORIGIN)? {
            let own = origin
                .strip_prefix("http://")
                .is_some_and(|host| self.is_own(host));
            if !own {
                return foreign(origin);
            }
        }
        // A browser that sends no Origin with a form still says where it comes from.
        match only(headers, &SEC_FETCH_SITE)? {
            Some("same-origin" | "none") | None => Ok(()),
            Some(_) if method == Method::GET => Ok(()),
            Some(_) => foreign("another site"),
        }
    }

    /// Whether `host`, with or without a port, is the service itself.
    fn is_own(&self, host: &str) -> bool {
        // The colons of an IPv6 literal are inside its brackets.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        port == Some(self.port) && self.own.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// The value of a header that may stand there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => Err(Refusal::bad_request(format!(
            "the header {name} must be there once, as text"
        ))),
    }
}

/// An address as it stands in a URL.
fn literal(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listen: &str, method: Method, headers: &[(&'static str, &str)]) -> Option<u16> {
        let guard = Guard::new(listen.parse().unwrap(), &["Box.lan".to_owned()]);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        guard
            .check(&method, &Uri::from_static("/"), &map)
            .err()
            .map(|r| r.status.as_u16())
    }

    #[test]
    fn the_service_has_its_own_names_with_its_own_port() {
        for (listen, host, expected) in [
            ("127.0.0.1:8080", "127.0.0.1:8080", None),
            ("127.0.0.1:8080", "LOCALHOST:8080", None),
            ("127.0.0.1:8080", "[::1]:8080", None),
            ("127.0.0.1:8080", "box.LAN:8080", None),
            ("127.0.0.9:8080", "127.0.0.9:8080", None),
            ("127.0.0.1:80", "localhost", None),
            ("[::1]:80", "[::1]", None),
            ("127.0.0.1:8080", "localhost", Some(421)),
            ("127.0.0.1:8080", "localhost:80", Some(421)),
            ("127.0.0.1:8080", "evil.example:8080", Some(421)),
            ("127.0.0.1:8080", "localhost.evil.example:8080", Some(421)),
            ("127.0.0.1:8080", "localhost:8080:8080", Some(421)),
            ("127.0.0.1:8080", "localhost:", Some(421)),
            ("127.0.0.1:8080", "me@localhost:8080", Some(421)),
            ("127.0.0.1:8080", "", Some(421)),
        ] {
            let got = check(listen, Method::GET, &[("host", host)]);
            assert_eq!(got, expected, "{listen} {host}");
        }
    }

    #[test]
    fn there_is_one_host() {
        assert_eq!(check("127.0.0.1:8080", Method::GET, &[]), Some(400));
        let twice = [("host", "localhost:8080"), ("host", "localhost:8080")];
        assert_eq!(check("127.0.0.1:8080", Method::GET, &twice), Some(400));
    }

    #[test]
    fn pages_of_others_are_refused() {
        for (origin, expected) in [
            ("http://localhost:8080", None),
            ("http://127.0.0.1:8080", None),
            ("https://localhost:8080", Some(403)),
            ("http://localhost:9090", Some(403)),
            ("http://evil.example", Some(403)),
            ("null", Some(403)),
            ("", Some(403)),
        ] {
            let headers = [("host", "localhost:8080"), ("origin", origin)];
            for method in [Method::GET, Method::POST, Method::DELETE] {
                assert_eq!(
                    check("127.0.0.1:8080", method, &headers),
                    expected,
                    "{origin}"
                );
            }
        }
        let site = |site| [("host", "localhost:8080"), ("sec-fetch-site", site)];
        assert_eq!(
            check("127.0.0.1:8080", Method::POST, &site("cross-site")),
            Some(403)
        );
        assert_eq!(
            check("127.0.0.1:8080", Method::POST, &site("same-site")),
            Some(403)
        );
        assert_eq!(
            check("127.0.0.1:8080", Method::POST, &site("same-origin")),
            None
        );
        assert_eq!(
            check("127.0.0.1:8080", Method::GET, &site("cross-site")),
            None,
            "a link"
        );
    }
}
