//! Renders which job ran when, on which worker.
//!
//! Positions are percentages of an SVG, so that it fits any window without a style of its own. A
//! document without times has no timeline. Neither has one of files from different days, because it
//! would be mostly empty.

use std::collections::HashMap;

use maud::{Markup, html};

use super::labels::{self, visible};
use super::sections::job_link;
use crate::report::format::duration;
use crate::report::model::{Document, Suite};

/// The height of a lane in pixels.
const LANE: usize = 34;

/// The height of a bar in pixels.
const BAR: usize = 30;

/// The most lanes that are drawn.
const LANES: usize = 64;

/// The most bars that are drawn.
const BARS: usize = 2000;

/// The least part of the time in which something ran.
const BUSY: f64 = 0.02;

/// One job in its lane; times are in seconds since the first job began.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar<'a> {
    suite: &'a Suite,
    start: f64,
    end: f64,
    lane: usize,
}

/// A worker that ran jobs one after another; sorted in the order of the lanes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Worker {
    host: String,
    run: String,
    /// The number that kata-ci gave it; `None` if only the times of the jobs are known.
    number: Option<u32>,
}

/// All bars, with the names of the lanes.
pub(super) struct Timeline<'a> {
    bars: Vec<Bar<'a>>,
    lanes: Vec<String>,
    end: f64,
}

impl<'a> Timeline<'a> {
    /// Makes the timeline of a document, if it has one.
    pub(super) fn of(document: &'a Document) -> Option<Self> {
        let mut timed: Vec<_> = document.suites.iter().filter_map(times).collect();
        let first = timed.iter().map(|(start, ..)| *start).reduce(f64::min)?;
        timed.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let mut lanes: Vec<(Worker, f64)> = Vec::new();
        let mut bars = Vec::new();
        for (start, end, suite) in timed {
            let (start, end) = (start - first, end - first);
            let lane = lane(&mut lanes, suite, start, end);
            bars.push(Bar {
                suite,
                start,
                end,
                lane,
            });
        }
        sort(&mut lanes, &mut bars);
        let end = bars.iter().map(|bar| bar.end).reduce(f64::max)?;
        let fits = lanes.len() <= LANES && bars.len() <= BARS && end > 0.0;
        let busy: f64 = bars.iter().map(|bar| bar.end - bar.start).sum();
        (fits && busy >= end * BUSY).then(|| Self {
            bars,
            lanes: names(&lanes),
            end,
        })
    }

    pub(super) fn markup(&self) -> Markup {
        let height = self.lanes.len() * LANE;
        html! {
            section.card aria-labelledby="timeline" {
                h2 #timeline { "Timeline" }
                div.lanes {
                    ol aria-hidden="true" { @for lane in &self.lanes { li title=(lane) { (lane) } } }
                    svg width="100%" height=(height + 22) role="group" aria-label="Jobs over workers and time" {
                        @for number in 0..self.lanes.len() {
                            rect.track x="0" y=(number * LANE) width="100%" height=(BAR) rx="5" {}
                        }
                        @for (at, label) in self.ticks() {
                            line.grid x1=(percent(at, self.end)) x2=(percent(at, self.end)) y1="0" y2=(height) {}
                            text.tick x=(percent(at, self.end)) y=(height + 14) { (label) }
                        }
                        @for bar in &self.bars { (self.bar(bar)) }
                    }
                }
                @if let Some(waited) = self.waited() { p.waited { (waited) } }
            }
        }
    }

    fn bar(&self, bar: &Bar<'_>) -> Markup {
        let word = labels::word(bar.suite);
        let name = visible(&bar.suite.name);
        let took = duration(bar.end - bar.start);
        let label = format!(
            "{name}: {}, {took}, from {}, on worker {}",
            labels::spoken(word),
            duration(bar.start),
            self.lanes[bar.lane]
        );
        let width = (bar.end - bar.start).max(self.end / 400.0);
        html! {
            a href=(job_link(bar.suite)) aria-label=(label) {
                svg x=(percent(bar.start, self.end)) y=(bar.lane * LANE) width=(percent(width, self.end)) height=(BAR) {
                    title { (label) }
                    rect.fill.(word) width="100%" height="100%" rx="5" {}
                    // The text of an SVG cannot be cut off at its end.
                    foreignObject width="100%" height="100%" { div.label { (labels::sign(word)) " " (name) } }
                }
            }
        }
    }

    /// Returns about six round moments.
    fn ticks(&self) -> Vec<(f64, String)> {
        const STEPS: [f64; 16] = [
            0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
            3600.0, 7200.0,
        ];
        let step = STEPS
            .into_iter()
            .find(|step| self.end / step <= 8.0)
            .unwrap_or(self.end / 6.0);
        (0..)
            .map(|number| f64::from(number) * step)
            .take_while(|at| *at <= self.end * 0.97)
            .map(|at| (at, duration(at)))
            .collect()
    }

    /// Names the job that ended last, and how long it ran alone.
    fn waited(&self) -> Option<String> {
        let last = self
            .bars
            .iter()
            .max_by(|one, other| one.end.total_cmp(&other.end))?;
        let others = self.bars.iter().filter(|bar| *bar != last);
        let before = others.map(|bar| bar.end).reduce(f64::max)?;
        let alone = last.end - before.max(last.start);
        let name = visible(&last.suite.name);
        let took = duration(last.end - last.start);
        let mut sentence = format!("Ended last: {name}, after {took} of {}", duration(self.end));
        if alone >= 0.1 && alone >= self.end / 100.0 {
            sentence.push_str(&format!(
                "; for the last {} nothing else ran",
                duration(alone)
            ));
        }
        Some(sentence + ".")
    }
}

fn percent(part: f64, whole: f64) -> String {
    format!("{:.3}%", part / whole * 100.0)
}

/// Returns start and end in seconds since the epoch; `None` for a job that never started.
fn times(suite: &Suite) -> Option<(f64, f64, &Suite)> {
    use crate::report::model::properties::{ATTEMPT, STARTED};
    if suite.property(ATTEMPT) == Some("0") {
        return None;
    }
    let seconds = suite.seconds?;
    let start = match suite.property(STARTED) {
        Some(moment) => moment.parse::<jiff::Timestamp>().ok()?,
        None => moment(suite.timestamp.as_deref()?)?,
    };
    // gotestsum writes the year 1, and nose2 1970, for a time that they do not know.
    if start.as_second() < 365 * 24 * 3600 {
        return None;
    }
    let start = start.as_millisecond() as f64 / 1000.0;
    Some((start, start + seconds, suite))
}

/// Parses a suite's `timestamp`: with an offset as in RFC 3339, or without one, which is taken for
/// UTC.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

/// Returns the lane of a job: that of its machine and worker, else the first free lane of its
/// machine.
fn lane(lanes: &mut Vec<(Worker, f64)>, suite: &Suite, start: f64, end: f64) -> usize {
    use crate::report::model::properties::{LANE, RUN};
    let worker = Worker {
        host: suite.hostname.as_deref().unwrap_or("").to_owned(),
        run: suite.property(RUN).unwrap_or("").to_owned(),
        number: suite.property(LANE).and_then(|lane| lane.parse().ok()),
    };
    let free = |(known, busy): &(Worker, f64)| {
        *known == worker && (worker.number.is_some() || *busy <= start + 0.001)
    };
    match lanes.iter().position(free) {
        Some(index) => {
            lanes[index].1 = end;
            index
        }
        None => {
            lanes.push((worker, end));
            lanes.len() - 1
        }
    }
}

/// Sorts the lanes by machine and worker.
fn sort(lanes: &mut Vec<(Worker, f64)>, bars: &mut [Bar<'_>]) {
    let mut order: Vec<_> = (0..lanes.len()).collect();
    order.sort_by(|one, other| lanes[*one].0.cmp(&lanes[*other].0));
    let mut places = vec![0; lanes.len()];
    for (place, before) in order.iter().enumerate() {
        places[*before] = place;
    }
    for bar in bars {
        bar.lane = places[bar.lane];
    }
    *lanes = order.iter().map(|index| lanes[*index].clone()).collect();
}

/// Names the lanes: `1`, `2`; with the machine if there are several.
fn names(lanes: &[(Worker, f64)]) -> Vec<String> {
    let one_host = lanes
        .iter()
        .all(|(worker, _)| worker.host == lanes[0].0.host);
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let hosts = lanes.iter().map(|(worker, _)| worker.host.as_str());
    let named = hosts.map(|host| {
        let number = numbers.entry(host).or_default();
        *number += 1;
        match (one_host, host) {
            (true, _) => number.to_string(),
            (false, "") => format!("unknown {number}"),
            (false, host) => format!("{} {number}", visible(host)),
        }
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the length of the timeline of suites with these starts and durations, and its number
    /// of bars.
    fn drawn(suites: &[(&str, f64)]) -> Option<(f64, usize)> {
        let suite = |(start, seconds): &(&str, f64)| Suite {
            timestamp: Some((*start).into()),
            seconds: Some(*seconds),
            ..Suite::default()
        };
        let document = Document {
            suites: suites.iter().map(suite).collect(),
            ..Document::default()
        };
        Timeline::of(&document).map(|timeline| (timeline.end, timeline.bars.len()))
    }

    #[test]
    fn suites_stand_where_they_ran() {
        let first = ("2026-05-03T10:00:00", 10.0);
        let second = ("2026-05-03T12:00:05+02:00", 10.0);
        assert_eq!(drawn(&[first, second]), Some((15.0, 2)));
        assert_eq!(drawn(&[]), None);
        assert_eq!(drawn(&[("soon", 1.0)]), None);
    }

    #[test]
    fn lanes_of_a_machine_stand_together_in_the_order_of_its_workers() {
        let suite = |host: &str, lane: &str, second: u32| Suite {
            name: format!("{host}{lane}").into(),
            hostname: Some(host.into()),
            timestamp: Some(format!("2026-05-03T10:00:0{second}").into()),
            seconds: Some(5.0),
            properties: vec![("lane".into(), lane.into())],
            ..Suite::default()
        };
        let document = Document {
            suites: vec![
                suite("b", "1", 0),
                suite("a", "0", 1),
                suite("b", "0", 2),
                suite("", "0", 3),
            ],
            ..Document::default()
        };
        let timeline = Timeline::of(&document).unwrap();
        assert_eq!(timeline.lanes, ["unknown 1", "a 1", "b 1", "b 2"]);
        let lanes: Vec<_> = timeline
            .bars
            .iter()
            .map(|bar| (&*bar.suite.name, bar.lane))
            .collect();
        assert_eq!(lanes, [("b1", 3), ("a0", 1), ("b0", 2), ("0", 0)]);
    }

    #[test]
    fn times_that_are_none_and_days_without_anything_are_not_drawn() {
        let suite = ("2026-05-03T10:00:00Z", 10.0);
        for unknown in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00"] {
            assert_eq!(
                drawn(&[suite, (unknown, 0.0)]),
                Some((10.0, 1)),
                "{unknown}"
            );
        }
        assert_eq!(drawn(&[suite, ("2026-05-04T10:00:00Z", 10.0)]), None);
    }
}
