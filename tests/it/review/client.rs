//! The client of REST against servers that do wrong.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use kata_ci::env::Environment;
use kata_ci::gerrit::rest::{
    BaseUrl, Client, CredentialError, CredentialSource, Credentials, HttpSettings, RestErrorKind,
    Secret,
};
use kata_ci::git::Repository;
use serde_json::Value;

/// A server that answers each request by its head, and the heads that it saw.
struct Scripted {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `None` leaves a request without an answer.
    fn new(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (heads.clone(), Arc::new(answer));
        thread::spawn(move || {
            let mut kept = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let head = head(&mut stream);
                seen.lock().unwrap().push(head.clone());
                match answer(&head) {
                    Some(text) => drop(stream.write_all(text.as_bytes())),
                    None => kept.push(stream),
                }
            }
        });
        Self { port, heads }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn client(&self, settings: &HttpSettings) -> Client {
        Client::new(self.url().parse().unwrap(), settings, None).unwrap()
    }

    /// Returns the kind of the error that a question ends with.
    fn refuses(&self, settings: &HttpSettings) -> RestErrorKind {
        let answer = self.client(settings).get::<Value>("changes/1", &[]);
        answer.unwrap_err().kind
    }
}

fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

fn answer(status: u16, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

#[test]
fn every_status_has_its_kind_and_the_words_are_clean() {
    use RestErrorKind::*;
    for (status, kind) in [
        (400, BadRequest),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (408, Unavailable),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
        (418, Unexpected),
    ] {
        let server = Scripted::new(move |_| Some(answer(status, "", "no\u{1b}[31m way\nat all")));
        let error = server
            .client(&HttpSettings::default())
            .get::<Value>("changes/1", &[]);
        let error = error.unwrap_err();
        assert_eq!((error.kind, error.status), (kind, Some(status)));
        let text = error.to_string();
        assert!(
            text.ends_with(&format!("{status}: no way at all")),
            "{text}"
        );
        assert_eq!(error.is_worth_another_try(), kind == Unavailable);
    }
}

#[test]
fn what_is_no_answer_of_a_gerrit_is_said() {
    let usual = HttpSettings::default();
    let page = Scripted::new(|_| Some(answer(200, "", "<html>")));
    assert_eq!(page.refuses(&usual), RestErrorKind::Unexpected);
    let json = Scripted::new(|_| Some(answer(200, "", ")]}'\n{\"project\": ")));
    assert_eq!(json.refuses(&usual), RestErrorKind::Unexpected);
    let good = Scripted::new(|_| Some(answer(200, "", ")]}'\n{\"project\": \"x\"}")));
    let found: Value = good.client(&usual).get("changes/1", &[]).unwrap();
    assert_eq!(found["project"], "x");
    assert!(
        good.heads()[0].starts_with("GET /changes/1 HTTP/1.1"),
        "anonymous"
    );
}

#[test]
fn answers_have_a_bound_and_a_deadline() {
    let large =
        Scripted::new(|_| Some(answer(200, "", &format!(")]}}'\n\"{}\"", "x".repeat(5000)))));
    let settings = HttpSettings {
        largest: 1000,
        timeout: Duration::from_millis(400),
        ..HttpSettings::default()
    };
    assert_eq!(large.refuses(&settings), RestErrorKind::Unexpected);
    let silent = Scripted::new(|_| None);
    assert_eq!(silent.refuses(&settings), RestErrorKind::Unavailable);
    let cut =
        Scripted::new(|_| Some("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n)]}'".to_owned()));
    assert_eq!(cut.refuses(&settings), RestErrorKind::Unavailable);
    let gone: BaseUrl = "http://127.0.0.1:1".parse().unwrap();
    let client = Client::new(gone, &settings, None).unwrap();
    assert!(client.self_account().unwrap_err().is_worth_another_try());
}

/// Credentials that count what becomes of them.
#[derive(Clone, Default)]
struct Counted(Arc<Mutex<Vec<&'static str>>>);

impl CredentialSource for Counted {
    fn fill(&self, _: &BaseUrl) -> Result<Option<Credentials>, CredentialError> {
        self.0.lock().unwrap().push("fill");
        Ok(Some(Credentials {
            user: "ci".to_owned(),
            password: Secret::new("s3:cret"),
        }))
    }

    fn approve(&self, _: &BaseUrl, _: &Credentials) {
        self.0.lock().unwrap().push("approve");
    }

    fn reject(&self, _: &BaseUrl, _: &Credentials) {
        self.0.lock().unwrap().push("reject");
    }
}

#[test]
fn credentials_are_asked_for_once_and_go_to_no_other_host() {
    let other = Scripted::new(|_| Some(answer(200, "", ")]}'\n{}")));
    let target = format!("Location: {}/a/changes/1\r\n", other.url());
    let server = Scripted::new(move |head| {
        Some(match head.contains("/a/moved") {
            true => answer(302, &target, ""),
            false => answer(200, "", ")]}'\n{}"),
        })
    });
    let source = Counted::default();
    let boxed = Some(Box::new(source.clone()) as Box<dyn CredentialSource>);
    let client = Client::new(
        server.url().parse().unwrap(),
        &HttpSettings::default(),
        boxed,
    )
    .unwrap();
    for _ in 0..2 {
        client.get::<Value>("changes/1", &[]).unwrap();
    }
    assert_eq!(*source.0.lock().unwrap(), ["fill", "approve"]);
    // ci:s3:cret
    assert!(
        server.heads()[0]
            .to_lowercase()
            .contains("authorization: basic y2k6czm6y3jlda==")
    );
    let error = client.get::<Value>("moved", &[]).unwrap_err();
    assert_eq!(error.kind, RestErrorKind::Redirected);
    assert!(error.to_string().contains(&other.url()), "{error}");
    assert_eq!(other.heads().len(), 0);
    assert!(!format!("{client:?} {error:?}").contains("s3:cret"));
}

#[test]
fn refused_credentials_are_forgotten() {
    let server = Scripted::new(|_| Some(answer(401, "", "Unauthorized")));
    let source = Counted::default();
    let boxed = Some(Box::new(source.clone()) as Box<dyn CredentialSource>);
    let client = Client::new(
        server.url().parse().unwrap(),
        &HttpSettings::default(),
        boxed,
    )
    .unwrap();
    assert_eq!(
        client.self_account().unwrap_err().kind,
        RestErrorKind::Unauthorized
    );
    assert_eq!(*source.0.lock().unwrap(), ["fill", "reject"]);
}

#[test]
fn pages_are_read_to_the_end_and_a_change_that_comes_twice_counts_once() {
    let server = Scripted::new(|head| {
        let page = match head.contains("S=0&") {
            true => {
                r#"[{"project":"p","_number":1},{"project":"p","_number":2,"_more_changes":true}]"#
            }
            false => r#"[{"project":"p","_number":2},{"project":"p","_number":3}]"#,
        };
        Some(answer(200, "", &format!(")]}}'\n{page}")))
    });
    let found = server.client(&HttpSettings::default());
    let found = found
        .query("status:open topic:\"a b\"", &["LABELS"], 1000)
        .unwrap();
    assert_eq!(
        found.iter().map(|one| one.number).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let heads = server.heads();
    assert!(
        heads[0].contains("q=status%3Aopen%20topic%3A%22a%20b%22&S=0&n=100&o=LABELS"),
        "{heads:?}"
    );
    assert!(heads[1].contains("S=2&"), "{heads:?}");
}

#[test]
fn the_proxy_of_git_is_used_and_one_for_the_url_wins() {
    let proxy = Scripted::new(|_| Some(answer(403, "", "by the proxy")));
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("gitconfig");
    let text = format!(
        "[http]\n\tproxy = http://127.0.0.1:1\n\tsslCAInfo = ~/ca.pem\n[http \"http://review.invalid\"]\n\tproxy = 127.0.0.1:{}\n\tsslVerify = false\n",
        proxy.port
    );
    std::fs::write(&file, text).unwrap();
    let mut environment = Environment::current();
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "no_proxy",
        "NO_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
    ] {
        environment.remove(name);
    }
    environment.set("GIT_CONFIG_GLOBAL", &file);
    environment.set("HOME", home.path());
    let git = Repository::at(home.path(), &environment);
    let server: BaseUrl = "http://review.invalid/r".parse().unwrap();
    let settings = HttpSettings::of_git(&git, &server).unwrap();
    assert_eq!(settings.certificates, Some(home.path().join("ca.pem")));
    assert!(!settings.is_verified);
    let other: BaseUrl = "http://other.invalid".parse().unwrap();
    assert!(HttpSettings::of_git(&git, &other).unwrap().is_verified);
    let client = Client::new(server, &settings, None).unwrap();
    assert!(client.self_account().is_err());
    assert!(
        proxy.heads()[0].contains("review.invalid"),
        "{:?}",
        proxy.heads()
    );
}
