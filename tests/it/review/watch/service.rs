//! The page of a watcher, in a real browser; its address, and the list on the terminal.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use super::{Place, on_current};
use crate::support::browser::Browser;
use crate::support::gerrit::server;
use crate::support::until;

/// Returns the address that a watcher has logged.
fn address(place: &Place) -> String {
    let find = || {
        let log = place.logged();
        let line = log
            .lines()
            .rev()
            .find(|line| line.contains("the page is served"))?;
        let found = line.split("address=").nth(1)?;
        Some(found.split_whitespace().next()?.to_owned())
    };
    until("the page is served", || find().is_some());
    find().expect("an address")
}

/// Sends bytes and returns the whole answer.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn get(address: &str, target: &str) -> String {
    ask(
        address,
        &format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    )
}

#[test]
fn the_page_shows_what_runs_and_what_came_of_it() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let slow = place.home().join("slow");
    std::fs::write(&slow, "").expect("written");
    place.pipeline(&format!(
        "while [ -e {} ]; do sleep 0.1; done",
        slow.display()
    ));
    place.clones[0].commit_with_id("file", "watched: <script>document.title = 'evil'</script>");
    place.push(0);
    let mut watcher = place.watch(&["--listen", "127.0.0.1:0", "--interval", "2s"]);
    let address = address(&place);
    let url = format!("http://{address}/");
    let mut browser = Browser::start();
    let narrow = json!({"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": true});
    browser.call("Emulation.setDeviceMetricsOverride", narrow);
    browser.open_url(&url);
    // The page renews itself, and shows the jobs of the run.
    browser
        .until("document.querySelector('#running .progress')?.textContent.includes('0 of 1 job')");
    assert_eq!(browser.text("document.title"), "kata-ci reviews");
    browser.evaluate("document.querySelector('input').focus()");
    browser.enter("script");
    std::fs::remove_file(&slow).expect("removed");
    browser.until("document.querySelector('#last .state.good')?.textContent.includes('passed')");
    assert_eq!(
        browser.text("document.querySelector('input').value"),
        "script",
        "typing goes on"
    );
    for scheme in ["light", "dark"] {
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.call("Emulation.setEmulatedMedia", media);
        assert_eq!(
            browser.evaluate("document.documentElement.scrollWidth <= 400"),
            true,
            "it fits into 400 pixels"
        );
        assert_contrast(&mut browser, scheme);
    }
    browser.press("Enter");
    browser.until("document.querySelector('#found .title')?.textContent.includes('<script>')");
    browser.evaluate("document.querySelector('#found .links a').click()");
    browser.until("location.pathname.endsWith('report.html') && document.querySelectorAll('.verdict').length === 1");
    let errors: Vec<_> = (browser.events.iter())
        .filter(|event| event["method"] == "Runtime.exceptionThrown")
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    place.until("the verdict", |all| !on_current(&all[0]).is_empty());

    // The same on the terminal.
    let listed = place
        .command(&["review", "--list", "--format", "json"])
        .output()
        .expect("a list");
    let list: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(list["last"][0]["verdict"], "passed");
    assert_eq!(list["last"][0]["change"], place.changes()[0]["_number"]);
    let listed = place
        .command(&["review", "--list"])
        .output()
        .expect("a list");
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        text.contains("running: 0") && text.contains("passed"),
        "{text}"
    );
    assert_eq!(watcher.terminate(), Some(128 + 15));
}

/// Expects that every text stands out from what is behind it by 4.5 to 1.
fn assert_contrast(browser: &mut Browser, scheme: &str) {
    let script = "(() => {
        const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        const light = (colour) => {
            const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number);
            return 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
        };
        const behind = (element) => {
            for (; element; element = element.parentElement) {
                const colour = getComputedStyle(element).backgroundColor;
                if (!/, 0\\)$/.test(colour)) return colour;
            }
            return 'rgb(255, 255, 255)';
        };
        return [...document.querySelectorAll('body *')]
            .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
            .map((one) => {
                const [over, under] = [getComputedStyle(one).color, behind(one)].map(light);
                const ratio = (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05);
                return [one.outerHTML.slice(0, 80), ratio];
            })
            .filter(([, ratio]) => ratio < 4.5);
    })()";
    let weak = browser.evaluate(script);
    assert_eq!(weak, json!([]), "{scheme}");
}

#[test]
fn the_service_reads_only_and_answers_to_this_machine() {
    let Some(server) = server() else { return };
    let place = Place::new(server, 1);
    let mut watcher = place.watch(&["--listen", "127.0.0.1:0", "--log-format", "json"]);
    let find = || {
        let log = place.logged();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut found = lines.filter(|line| line["message"] == "the page is served");
        Some(found.next()?["address"].as_str()?.to_owned())
    };
    until("the page is served", || find().is_some());
    let address = find().expect("an address");
    assert!(get(&address, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(&address, "/metrics").contains("kata_ci_up 1\n"));
    for (request, status) in [
        (
            format!(
                "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            ),
            "405",
        ),
        (
            format!(
                "GET /../../etc/passwd HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
            ),
            "404",
        ),
        (
            format!(
                "GET /runs/1/..%2f..%2fwatch.sqlite HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
            ),
            "404",
        ),
        (
            "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_owned(),
            "421",
        ),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = ask(&address, &request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
    }
    let head = ask(
        &address,
        &format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
    );
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    assert!(
        head.contains("content-security-policy: default-src 'none'"),
        "{head}"
    );
    // Many clients that say nothing keep nobody else from reading.
    let idle: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(&address).expect("a connection"))
        .collect();
    assert!(get(&address, "/healthz").contains("ok"));
    drop(idle);
    // A second watcher of the same state, and an address that others reach, are refused.
    let refused = |arguments: &[&str]| {
        let answer = place.command(arguments).output().expect("it runs");
        (
            answer.status.code(),
            String::from_utf8_lossy(&answer.stderr).into_owned(),
        )
    };
    let watch = ["review", "--watch", "-p", "pipeline.toml"];
    let (code, said) = refused(&watch);
    assert!(
        code == Some(2) && said.contains("another watcher"),
        "{said}"
    );
    let state = place.home().join("other").display().to_string();
    let (code, said) = refused(
        &[
            &watch[..],
            &["--state-dir", &state, "--listen", "0.0.0.0:0"],
        ]
        .concat(),
    );
    assert!(code == Some(2) && said.contains("--public"), "{said}");
    assert_eq!(watcher.terminate(), Some(128 + 15));
}
