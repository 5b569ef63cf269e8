//! Answers of the service, without a socket.

use super::reply::Reply;
use super::route::{Asked, answer};
use super::*;
use crate::review::watch::store::{ChangeRow, NewRun, RunState, Store};

struct Place {
    service: Service,
    store: Store,
    directory: tempfile::TempDir,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let health = Arc::new(Health::default());
    let server = "https://review.example.com".to_owned();
    Place {
        service: Service::new(directory.path().to_owned(), health, server),
        store,
        directory,
    }
}

impl Place {
    fn ask(&self, method: &str, target: &str) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = Asked {
            method,
            path,
            query,
            host: "127.0.0.1:8080",
        };
        answer(&self.service, &asked)
    }

    fn text(&self, target: &str) -> String {
        String::from_utf8(self.ask("GET", target).body).unwrap()
    }

    /// Adds a run with a report.
    fn run(&mut self, change: u64, subject: &str) -> i64 {
        let new = NewRun {
            change,
            project: "kata/proxy",
            patch_set: 2,
            sha: &format!("{change:040x}"),
            why: "new",
            component: None,
        };
        let run = self.store.queue(new).unwrap();
        self.store
            .see(&ChangeRow {
                number: change,
                project: "kata/proxy".into(),
                branch: "master".into(),
                subject: subject.into(),
                owner: "Ada <i>".into(),
                status: "NEW".into(),
                patch_set: 2,
                sha: run.sha.clone(),
                updated: String::new(),
                topic: String::new(),
            })
            .unwrap();
        let report = self
            .directory
            .path()
            .join(format!("reviews/{}-1/report", run.id));
        std::fs::create_dir_all(&report).unwrap();
        std::fs::write(report.join("report.html"), "<h1>report</h1>").unwrap();
        std::fs::write(report.join("secret.txt"), "secret").unwrap();
        self.store.start(run.id, report.to_str().unwrap()).unwrap();
        run.id
    }
}

#[test]
fn the_page_shows_queue_running_and_last_results_and_finds_them() {
    let mut place = place();
    assert!(place.text("/").contains("Nothing runs."));
    let posted = place.run(1, "proxy: begin");
    place.store.judge(posted, "passed", "all well").unwrap();
    place
        .store
        .end(posted, RunState::Posted, "+1: all well")
        .unwrap();
    place.run(2, "proxy: second");
    let page = place.text("/");
    for part in [
        "passed",
        "+1: all well",
        "proxy: second",
        "running",
        "/runs/1/report.html",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let found = place.text("/?q=begin");
    assert!(found.contains("1,2") && !found.contains("proxy: second"));
    assert!(place.text("/?q=nowhere").contains("Nothing is found."));
}

#[test]
fn hostile_text_is_text() {
    let mut place = place();
    place.run(1, "</ul><script>alert(1)</script> \u{202e}evil");
    let page = place.text("/");
    assert!(!page.contains("<script>alert") && !page.contains("</ul><script"));
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("Ada &lt;i&gt;"));
    let page = place.text("/?q=%22%3E%3Cscript%3Ealert(2)%3C/script%3E");
    assert!(!page.contains("<script>alert"), "{page}");
}

#[test]
fn a_report_is_shown_in_a_sandbox_and_no_other_file_is() {
    let mut place = place();
    let id = place.run(1, "x");
    let report = place.ask("GET", &format!("/runs/{id}/report.html"));
    assert_eq!(
        (report.status, report.body.as_slice()),
        (200, &b"<h1>report</h1>"[..])
    );
    assert!(report.policy.starts_with("sandbox "), "{}", report.policy);
    for name in [
        "secret.txt",
        "../../../watch.sqlite",
        "%2e%2e/output.log",
        "",
        "logs",
    ] {
        let path = format!("/runs/{id}/{name}");
        assert_eq!(place.ask("GET", &path).status, 404, "{path}");
    }
    for path in [
        "/watch.sqlite",
        "/../etc/passwd",
        "//",
        "/runs/99/report.html",
        "/page.css/x",
    ] {
        assert_eq!(place.ask("GET", path).status, 404, "{path}");
    }
    // A link in its place is not followed, and neither is a directory elsewhere.
    let report = place
        .directory
        .path()
        .join(format!("reviews/{id}-1/report/report.html"));
    std::fs::remove_file(&report).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &report).unwrap();
    assert_eq!(
        place.ask("GET", &format!("/runs/{id}/report.html")).status,
        404
    );
    place.store.start(id, "/etc").unwrap();
    assert_eq!(
        place.ask("GET", &format!("/runs/{id}/result.json")).status,
        404
    );
}

#[test]
fn only_reading_is_answered_and_only_to_this_machines_names() {
    let place = place();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"] {
        assert_eq!(place.ask(method, "/").status, 405, "{method}");
    }
    let asked = Asked {
        method: "GET",
        path: "/",
        query: "",
        host: "evil.example",
    };
    assert_eq!(answer(&place.service, &asked).status, 421);
}

#[test]
fn health_and_metrics_tell_of_watcher_server_and_runs() {
    let mut place = place();
    place.run(1, "x");
    assert_eq!(place.text("/healthz"), "ok\n");
    place.service.health.beat(|pulse| {
        pulse.server_error = Some("503".into());
        pulse.stream = crate::review::watch::health::StreamState::Open;
        pulse.events[0].1 = 7;
    });
    assert_eq!(place.ask("GET", "/healthz").status, 200);
    let metrics = place.text("/metrics");
    for line in [
        "kata_ci_up 1",
        "kata_ci_stream_open 1",
        "kata_ci_server_answers 0",
        "kata_ci_events_total{kind=\"understood\"} 7",
        "kata_ci_runs{state=\"running\"} 1",
        "kata_ci_runs{state=\"queued\"} 0",
    ] {
        assert!(
            metrics.lines().any(|other| other == line),
            "{line} in {metrics}"
        );
    }
    // Every sample has its help and type before it.
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{line}");
    }
}

#[test]
fn progress_is_read_from_the_events_of_a_running_review() {
    let mut place = place();
    let id = place.run(1, "x");
    let report = place
        .directory
        .path()
        .join(format!("reviews/{id}-1/report"));
    let event = |seq: u32, rest: &str| {
        format!("{{\"v\":1,\"seq\":{seq},\"time\":\"2026-01-01T00:00:00Z\",{rest}}}\n")
    };
    let queued = |seq, job: &str| {
        event(
            seq,
            &format!(
                "\"event\":\"job-queued\",\"job\":\"{job}\",\"command\":\"make\",\"directory\":\"/x\""
            ),
        )
    };
    let mut journal = queued(0, "proxy.check") + &queued(1, "proxy.test");
    std::fs::write(report.join("events.jsonl"), &journal).unwrap();
    assert!(place.text("/").contains("0 of 2 jobs"));
    journal += &event(
        2,
        "\"event\":\"job-started\",\"job\":\"proxy.test\",\"attempt\":1,\"log\":\"l\"",
    );
    std::fs::write(report.join("events.jsonl"), journal + "{\"v\":1,\"se").unwrap();
    assert!(
        place
            .text("/")
            .contains("0 of 2 jobs · <bdi>proxy.test</bdi>"),
        "{}",
        place.text("/")
    );
}
