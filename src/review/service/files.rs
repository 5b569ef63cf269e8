//! The files of reports: `/runs/ID/report.html`, and others of a list.

use std::io::Read;
use std::path::Path;

use super::Service;
use super::reply::Reply;
use crate::fs::Directory;
use crate::review::watch::store::StoreError;

/// The files of a report directory that are shown, with their kinds.
const FILES: [(&str, &str); 5] = [
    ("report.html", "text/html; charset=utf-8"),
    ("review.json", "application/json"),
    ("result.json", "application/json"),
    ("summary.md", "text/plain; charset=utf-8"),
    ("junit.xml", "text/plain; charset=utf-8"),
];

/// The most bytes of a file that is shown.
const LARGEST: u64 = 256 << 20;

/// The policy of a report, which holds what strangers' code has printed: its own script may run,
/// but as that of a page from nowhere, and nothing is fetched.
const SANDBOX: &str = "sandbox allow-scripts allow-popups; default-src 'none'; \
    script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'";

/// Answers the request for a file.
pub(super) fn answer(service: &Service, path: &str) -> Result<Reply, StoreError> {
    let Some((id, name)) = parsed(path) else {
        return Ok(Reply::not_found());
    };
    let Some((name, kind)) = FILES.iter().find(|(known, _)| *known == name) else {
        return Ok(Reply::not_found());
    };
    let Some(view) = service.view()? else {
        return Ok(Reply::not_found());
    };
    let directory = view.run(id)?.and_then(|run| run.directory);
    Ok(
        match directory.and_then(|directory| read(service, &directory, name)) {
            Some(bytes) => Reply {
                policy: SANDBOX,
                ..Reply::new(200, kind, bytes)
            },
            None => Reply::not_found(),
        },
    )
}

/// Returns the id of the run and the name of the file.
fn parsed(path: &str) -> Option<(i64, &str)> {
    let (id, name) = path.strip_prefix("/runs/")?.split_once('/')?;
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    Some((is_number.then(|| id.parse().ok())??, name))
}

/// Reads a regular file of a report directory below that of the state. No link leads out of it.
fn read(service: &Service, directory: &str, name: &str) -> Option<Vec<u8>> {
    let below = Path::new(directory).strip_prefix(&service.directory).ok()?;
    let state = Directory::hold(&service.directory).ok()?;
    let file = state.open(&below.join(name)).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_number_and_a_name() {
        assert_eq!(parsed("/runs/12/report.html"), Some((12, "report.html")));
        for path in [
            "/runs/",
            "/runs/12",
            "/runs//report.html",
            "/runs/+1/report.html",
            "/runs/-1/report.html",
            "/runs/99999999999999999999/report.html",
            "/runs/../12/report.html",
            "/etc/passwd",
        ] {
            assert_eq!(parsed(path), None, "{path}");
        }
        for path in [
            "/runs/1/../x",
            "/runs/1/logs/../../x",
            "/runs/1/%2e%2e/x",
            "/runs/1/",
        ] {
            let name = parsed(path).unwrap().1;
            assert!(!FILES.iter().any(|(known, _)| *known == name), "{path}");
        }
    }
}
