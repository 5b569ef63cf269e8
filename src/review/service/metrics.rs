//! The metrics, in the text format of Prometheus.

use std::fmt::Write as _;

use super::Service;
use super::reply::Reply;
use crate::review::watch::health::{Pulse, StreamState};
use crate::review::watch::store::{Counts, StoreError};

/// Answers with all metrics.
pub(super) fn answer(service: &Service) -> Result<Reply, StoreError> {
    let mut metrics = Metrics(String::new());
    metrics.of_watcher(&service.health.read());
    if let Some(view) = service.view()? {
        metrics.of_runs(&view.counts()?);
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(Reply::new(200, kind, metrics.0))
}

/// The text of the metrics.
struct Metrics(String);

impl Metrics {
    fn of_watcher(&mut self, pulse: &Pulse) {
        let is = |condition: bool| u64::from(condition);
        self.gauge("up", "1 while the watcher turns.", is(pulse.is_alive()));
        if pulse.stream != StreamState::NotUsed {
            let is_open = is(pulse.stream == StreamState::Open);
            self.gauge(
                "stream_open",
                "1 while the stream of events is open.",
                is_open,
            );
        }
        let help = "Times that the stream was opened.";
        self.counter("stream_opened_total", help, pulse.opened);
        let events = pulse.events.map(|(word, count)| (word.to_owned(), count));
        self.family("events_total", "counter", "Lines of the stream.");
        self.labelled("events_total", "kind", &events);
        let help = "Questions that the server failed to answer.";
        self.counter("server_failures_total", help, pulse.failures);
        let help = "1 if the server answered the last question.";
        self.gauge("server_answers", help, is(pulse.server_error.is_none()));
        let help = "Changes that are to be looked at.";
        self.gauge("agenda", help, pulse.agenda as u64);
    }

    fn of_runs(&mut self, counts: &Counts) {
        self.family("runs", "gauge", "Runs by state.");
        self.labelled("runs", "state", &counts.states);
        self.family("verdicts", "gauge", "Runs by verdict.");
        self.labelled("verdicts", "verdict", &counts.verdicts);
        self.counter(
            "posts_total",
            "Messages that the server has taken.",
            counts.posts,
        );
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, "", value);
    }

    fn labelled(&mut self, name: &str, label: &str, values: &[(String, u64)]) {
        for (word, value) in values {
            self.sample(name, &format!("{{{label}=\"{word}\"}}"), *value);
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(
            self.0,
            "# HELP kata_ci_{name} {help}\n# TYPE kata_ci_{name} {kind}"
        );
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        let _ = writeln!(self.0, "kata_ci_{name}{labels} {value}");
    }
}
