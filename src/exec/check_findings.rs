//! Finds the complaints of checkers in the log of a job that failed, for the job and for its failed
//! static checks.
//!
//! The output is read again once the check has failed. A check that passes costs nothing.

use std::io;
use std::sync::Arc;

use super::log::Written;
use crate::event::{CaseFinished, Span};
use crate::model::{CaseStatus, CheckFindings};
use crate::parse::{STATIC_CHECKS, check_findings};

/// The bytes of output that are searched, from its end.
const SEARCHED: u64 = 1 << 20;

/// The log of a job.
#[derive(Debug)]
pub(super) struct CheckLog {
    log: Arc<Written>,
}

impl CheckLog {
    pub fn new(log: &Arc<Written>) -> Self {
        Self {
            log: Arc::clone(log),
        }
    }

    /// Returns the findings in the whole log.
    pub fn of_job(&self) -> CheckFindings {
        check_findings(&self.log.tail(SEARCHED).unwrap_or_default())
    }

    /// Adds the findings of a failed static check. The first one becomes its message.
    pub fn tell(&self, case: &mut CaseFinished) {
        if !case.status.is_bad() || case.package != STATIC_CHECKS {
            return;
        }
        case.findings = check_findings(&self.output_of(&case.output).unwrap_or_default());
        if case.status == CaseStatus::Failed
            && let Some(first) = case.findings.first_error()
        {
            case.message = Some(first.to_string());
            case.file = first.file.clone();
            case.line = first.line;
        }
    }

    fn output_of(&self, spans: &[Span]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for span in spans {
            let start = span.start.max(span.end.saturating_sub(SEARCHED));
            self.log.read(start, span.end - start, &mut bytes)?;
        }
        Ok(bytes)
    }
}
