//! Stories of reports: merged, shown, for CI systems, in a browser.

mod access;
mod chromium;
mod ci_detection;
mod compare;
mod corpus;
mod logs;
mod merge;
mod show;
