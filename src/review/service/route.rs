//! From a request to an answer.

use std::net::IpAddr;

use super::reply::Reply;
use super::{Service, files, metrics, page};
use crate::review::watch::store::StoreError;

/// The most bytes of a search.
const SEARCH: usize = 200;

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub host: &'a str,
}

/// Answers a request.
pub(super) fn answer(service: &Service, asked: &Asked<'_>) -> Reply {
    if !matches!(asked.method, "GET" | "HEAD") {
        return Reply::text(405, "only GET and HEAD");
    }
    if !service.is_open && !is_own_host(asked.host) {
        return Reply::text(421, "this page answers to names of this machine only");
    }
    let answered = match asked.path {
        "/" => page::index(service, &search(asked.query)),
        "/healthz" => Ok(health(service)),
        "/metrics" => metrics::answer(service),
        "/page.css" => Ok(Reply::new(200, "text/css; charset=utf-8", page::STYLE)),
        "/page.js" => Ok(Reply::new(
            200,
            "text/javascript; charset=utf-8",
            page::SCRIPT,
        )),
        path => files::answer(service, path),
    };
    answered.unwrap_or_else(|error: StoreError| {
        tracing::error!(%error, "the page cannot read the state");
        Reply::text(500, "the state cannot be read; the log says why")
    })
}

fn health(service: &Service) -> Reply {
    let pulse = service.health.read();
    match (pulse.is_alive(), &pulse.server_error) {
        (false, _) => Reply::text(503, "the watcher does not turn"),
        (true, None) => Reply::text(200, "ok"),
        // Another start of this program would not mend the server.
        (true, Some(_)) => Reply::text(200, "ok, but the server does not answer"),
    }
}

/// Returns true for the names and addresses of this machine itself, with any port.
fn is_own_host(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let is_loopback = |name: &str| {
        name.parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
    };
    name.eq_ignore_ascii_case("localhost") || is_loopback(name)
}

/// Returns the decoded words of `q=`.
fn search(query: &str) -> String {
    let fields = query.split('&').filter_map(|field| field.split_once('='));
    let mut found = fields
        .filter(|(name, _)| *name == "q")
        .map(|(_, value)| value);
    let value = found.next_back().unwrap_or("");
    let value = &value[..value.floor_char_boundary(3 * SEARCH)];
    let words = crate::text::one_line(&decoded(value), SEARCH);
    words.trim_start_matches('#').to_owned()
}

/// Decodes a form's value. What is no escape stays.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, bytes) = match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                (&tail[2..], bytes)
            }
            (b'+', _) => {
                bytes.push(b' ');
                (tail, bytes)
            }
            (other, _) => {
                bytes.push(*other);
                (tail, bytes)
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_here_is_not_enough() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:80",
            "127.9.9.9",
        ] {
            assert!(is_own_host(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:80",
            "localhost.evil.example",
            "[::2]",
            "10.0.0.1",
        ] {
            assert!(!is_own_host(host), "{host}");
        }
    }

    #[test]
    fn a_search_is_decoded_and_short() {
        assert_eq!(search("q=a+b%20%26c"), "a b &c");
        assert_eq!(search("x=1&q=%23123"), "123");
        assert_eq!(search("q=%"), "%");
        assert_eq!(search("q=%zz%e4"), "%zz\u{fffd}");
        assert_eq!(search("q=%0a%1b[31mred"), "red");
        assert!(search(&format!("q={}", "ü".repeat(9999))).len() <= SEARCH);
        assert_eq!(search(""), "");
    }
}
