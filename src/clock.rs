//! The time of day, as records hold it.

use std::time::SystemTime;

/// Returns the current time. Later than the last timestamp there is (the year 9999), it returns
/// that timestamp.
pub fn now() -> jiff::Timestamp {
    timestamp(SystemTime::now())
}

fn timestamp(time: SystemTime) -> jiff::Timestamp {
    let end = match time < SystemTime::UNIX_EPOCH {
        true => jiff::Timestamp::MIN,
        false => jiff::Timestamp::MAX,
    };
    jiff::Timestamp::try_from(time).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_beyond_all_years_stands_still() {
        let after = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let later = timestamp(after(253_402_300_799));
        assert_eq!(later, jiff::Timestamp::MAX);
        assert_eq!(timestamp(after(1 << 40)), later);
        assert_eq!(timestamp(after(7)).as_second(), 7);
        // A record can hold it, like everything computed from it.
        assert_eq!(
            later.strftime("%Y%m%dT%H%M%SZ").to_string(),
            "99991230T220000Z"
        );
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40);
        assert_eq!(timestamp(early), jiff::Timestamp::MIN);
    }
}
