//! Growing delays between attempts, with jitter so that many clients do not come back at once.

use std::time::Duration;

/// The delays between attempts that fail one after another.
#[derive(Debug, Clone)]
pub struct BackOff {
    least: Duration,
    most: Duration,
    failures: u32,
}

impl BackOff {
    /// Creates delays that double from `least` to `most`.
    pub fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most,
            failures: 0,
        }
    }

    /// Returns the next delay: between half of the doubled one and all of it, as `random` says.
    pub fn next(&mut self, random: u64) -> Duration {
        let doubled = self.least.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let whole = doubled.min(self.most);
        whole / 2 + (whole / 2).mul_f64(random as f64 / u64::MAX as f64)
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// Returns a random number; 0 where the system gives none, which costs the jitter alone.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    let _ = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    u64::from_ne_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn delays_grow_up_to_the_most(randoms in proptest::collection::vec(any::<u64>(), 1..80)) {
            let (least, most) = (Duration::from_secs(1), Duration::from_secs(60));
            let mut back_off = BackOff::new(least, most);
            let mut bound = least;
            for random in randoms {
                let delay = back_off.next(random);
                prop_assert!(delay >= bound / 2 && delay <= bound, "{:?} of {:?}", delay, bound);
                bound = (bound * 2).min(most);
            }
            back_off.reset();
            prop_assert!(back_off.next(u64::MAX) <= least);
        }
    }
}
