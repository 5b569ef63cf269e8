//! The page.

use maud::{DOCTYPE, Markup, html};

use super::Service;
use super::progress::Progress;
use super::reply::Reply;
use crate::report::plural;
use crate::review::watch::health::{Pulse, StreamState};
use crate::review::watch::store::{ChangeRow, Run, RunState, StoreError, View};

/// The style of the page.
pub(super) const STYLE: &str = include_str!("assets/page.css");
/// The script of the page, which does nothing but keep it fresh.
pub(super) const SCRIPT: &str = include_str!("assets/page.js");

/// The number of results that are shown.
const SHOWN: usize = 50;

/// A run with what the page says about it.
struct Row {
    run: Run,
    change: Option<ChangeRow>,
    progress: Option<Progress>,
}

/// Answers with the page: everything, or what a search finds.
pub(super) fn index(service: &Service, search: &str) -> Result<Reply, StoreError> {
    let pulse = service.health.read();
    let main = match service.view()? {
        None => html! { p.empty { "The watcher has not begun yet." } },
        Some(view) if search.is_empty() => overview(service, &view)?,
        Some(view) => found(service, &view, search)?,
    };
    let page = around(service, &pulse, search, &main);
    Ok(Reply::new(
        200,
        "text/html; charset=utf-8",
        page.into_string(),
    ))
}

fn around(service: &Service, pulse: &Pulse, search: &str, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "kata-ci reviews" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
                // Without scripts the page is loaded again instead.
                noscript { meta http-equiv="refresh" content="5"; }
            }
            body {
                header {
                    h1 { a href="/" { "kata-ci reviews" } }
                    p.dim { "for " a.foreign href=(service.server) { (service.server) } }
                    form role="search" action="/" {
                        input type="search" name="q" value=(search) maxlength="200"
                            aria-label="Search by change, commit, project, subject or owner"
                            placeholder="change, commit, project, subject, owner";
                        button { "Search" }
                    }
                }
                main id="live" { (state(pulse)) (main) }
                footer { "kata-ci " (env!("CARGO_PKG_VERSION")) " · " a href="/healthz" { "health" } " · " a href="/metrics" { "metrics" } }
            }
        }
    }
}

fn state(pulse: &Pulse) -> Markup {
    let stream = match pulse.stream {
        StreamState::NotUsed => "asks the server from time to time",
        StreamState::Open => "hears the server's events",
        StreamState::Closed => "is not connected to the server's events",
    };
    html! {
        @if !pulse.is_alive() { p.alarm role="alert" { "✗ The watcher does not turn." } }
        @if let Some(error) = &pulse.server_error {
            p.alarm role="alert" { "! The server does not answer: " span.foreign { (crate::text::one_line(error, 300)) } }
        }
        p.dim { "The watcher " (stream) "." }
    }
}

fn overview(service: &Service, view: &View) -> Result<Markup, StoreError> {
    let active = view.active()?;
    let (running, waiting): (Vec<_>, Vec<_>) =
        (active.into_iter()).partition(|run| run.state != RunState::Queued);
    let ids: Vec<i64> = running.iter().map(|run| run.id).collect();
    service.reader().keep(&ids);
    let running = rows(service, view, running)?;
    let waiting = rows(service, view, waiting)?;
    let last = rows(service, view, view.last(SHOWN)?)?;
    Ok(html! {
        (section(service, "running", "Running", &running, "Nothing runs."))
        (section(service, "queue", "Queue", &waiting, "Nothing waits."))
        (section(service, "last", "Last results", &last, "There are no results yet."))
    })
}

fn found(service: &Service, view: &View, search: &str) -> Result<Markup, StoreError> {
    let found = rows(service, view, view.search(search, SHOWN)?)?;
    Ok(section(
        service,
        "found",
        "Found",
        &found,
        "Nothing is found.",
    ))
}

fn rows(service: &Service, view: &View, runs: Vec<Run>) -> Result<Vec<Row>, StoreError> {
    let row = |run: Run| {
        let directory = run
            .directory
            .as_deref()
            .filter(|_| run.state == RunState::Running);
        Ok(Row {
            progress: directory.and_then(|directory| service.reader().of(run.id, directory)),
            change: view.change(run.change)?,
            run,
        })
    };
    runs.into_iter().map(row).collect()
}

fn section(service: &Service, id: &str, title: &str, rows: &[Row], empty: &str) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (title) " " span.count { (rows.len()) } }
            @if rows.is_empty() { p.empty { (empty) } }
            @else { ul { @for row in rows { li { (item(service, row)) } } } }
        }
    }
}

fn item(service: &Service, row: &Row) -> Markup {
    let run = &row.run;
    let (sign, class, word) = standing(run);
    let subject = row
        .change
        .as_ref()
        .map_or("", |change| change.subject.as_str());
    let owner = row
        .change
        .as_ref()
        .map_or("", |change| change.owner.as_str());
    let has_report = run.state.is_over() || run.state == RunState::Judged;
    html! {
        span class={ "state " (class) } { span aria-hidden="true" { (sign) } " " (word) }
        div.what {
            div.title {
                a href={ (service.server) "/c/" (run.project) "/+/" (run.change) } { (run.change) "," (run.patch_set) }
                " " bdi { (subject) }
            }
            div.dim {
                bdi { (run.project) } " · " code { (run.sha.get(..7).unwrap_or(&run.sha)) }
                @if !owner.is_empty() { " · " bdi { (owner) } }
                @if run.number > 1 { " · run " (run.number) }
                @if let Some(component) = &run.component { " · only " bdi { (component) } }
                @if run.why != "new" { " · " bdi { (run.why) } }
            }
            @if let Some(progress) = &row.progress { (bar(progress)) }
            @if !run.note.is_empty() { div.note { bdi { (run.note) } } }
            @if has_report && run.directory.is_some() {
                div.links { a href={ "/runs/" (run.id) "/report.html" } { "report" } }
            }
        }
        (time(run))
    }
}

/// Returns sign, class and word of a run's state.
fn standing(run: &Run) -> (&'static str, &'static str, &str) {
    match (run.state, run.verdict.as_deref()) {
        (RunState::Queued, _) => ("·", "none", "queued"),
        (RunState::Running, _) => ("▸", "runs", "running"),
        (RunState::Cancelled, _) => ("–", "none", "cancelled"),
        (RunState::Broken, _) => ("!", "bad", "broken"),
        (RunState::Judged, _) => ("▸", "runs", "posting"),
        (RunState::Posted, Some("passed")) => ("✓", "good", "passed"),
        (RunState::Posted, Some("failed")) => ("✗", "bad", "failed"),
        (RunState::Posted, Some(other)) => ("!", "warn", other),
        (RunState::Posted, None) => ("–", "none", "over"),
    }
}

fn bar(progress: &Progress) -> Markup {
    let jobs = format!("{} of {}", progress.over, plural(progress.jobs, "job"));
    html! {
        div.progress {
            progress max=(progress.jobs.max(1)) value=(progress.over) aria-label=(jobs) {}
            span { (jobs)
                @if progress.tested > 0 { ", " (progress.tested) " tested" }
                @if progress.failed > 0 { ", " b.bad { (progress.failed) " failed" } }
                @if !progress.running.is_empty() { " · " bdi { (progress.running.join(", ")) } }
            }
        }
    }
}

/// Shows the time that says most about the run's state.
fn time(run: &Run) -> Markup {
    let (word, at) = match (&run.ended_at, &run.started_at) {
        (Some(at), _) => ("ended", at),
        (None, Some(at)) if run.state != RunState::Queued => ("started", at),
        _ => ("queued", &run.queued_at),
    };
    let short = at.get(..16).unwrap_or(at).replace('T', " ");
    html! { time.dim datetime=(at) title={ (word) " " (at) } { (short) } }
}
