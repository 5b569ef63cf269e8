//! Finds the marks in one line.
//!
//! For each position of the line, one look into a small table tells if a mark may begin there. The
//! looks do not wait for each other, as the steps of an automaton would.

/// The bytes of a mark that lead to its slot in the table.
const PREFIX: usize = 3;
/// The number of slots is two to the power of this.
const SLOT_BITS: u32 = 14;
/// The positions that are looked at together: those of the prefixes in eight bytes.
const STEP: usize = 6;

/// A mark, and what it takes to be one.
#[derive(Debug)]
pub(super) struct Mark {
    /// The bits of those that it matters to.
    pub of: u32,
    pub text: Vec<u8>,
    /// True if it stands at the beginning of a line only.
    pub is_start: bool,
    /// True if it stands at the end of a line only.
    pub is_end: bool,
    /// True if a digit follows.
    pub is_before_digit: bool,
}

/// All marks, by their first bytes.
#[derive(Debug)]
pub(super) struct MarkTable {
    /// For each slot, zero or the number of its bucket.
    slots: Vec<u8>,
    /// The marks of each number. Those of zero are shorter than a prefix.
    buckets: Vec<Vec<Mark>>,
}

impl MarkTable {
    /// Makes the table. A mark shorter than a prefix must stand at the beginning or the end of a
    /// line. Returns `None` if it does not, or if there are too many marks.
    pub(super) fn of(marks: Vec<Mark>) -> Option<Self> {
        let mut slots = vec![0; 1 << SLOT_BITS];
        let mut buckets: Vec<Vec<Mark>> = vec![Vec::new()];
        for mark in marks {
            let number = match mark.text.first_chunk::<PREFIX>() {
                Some([a, b, c]) => {
                    let number = &mut slots[slot(u64::from_le_bytes([*a, *b, *c, 0, 0, 0, 0, 0]))];
                    if *number == 0 {
                        *number = u8::try_from(buckets.len()).ok()?;
                        buckets.push(Vec::new());
                    }
                    *number
                }
                None if mark.is_start || mark.is_end => 0,
                None => return None,
            };
            let bucket = &mut buckets[usize::from(number)];
            match bucket.iter_mut().find(|other| other.is_as(&mark)) {
                Some(other) => other.of |= mark.of,
                None => bucket.push(mark),
            }
        }
        Some(Self { slots, buckets })
    }

    /// Returns the bits of all marks in a line.
    pub(super) fn find(&self, line: &[u8]) -> u32 {
        let mut found = self.short(line);
        let mut at = 0;
        while let Some(bytes) = line[at..].first_chunk() {
            let bytes = u64::from_le_bytes(*bytes);
            let numbers: [u8; STEP] = std::array::from_fn(|step| self.number(bytes >> (8 * step)));
            if numbers.into_iter().fold(0, |all, number| all | number) != 0 {
                for (step, number) in numbers.into_iter().enumerate() {
                    found |= self.begun(number, line, at + step);
                }
            }
            at += STEP;
        }
        for at in at..(line.len() + 1).saturating_sub(PREFIX) {
            let bytes = [line[at], line[at + 1], line[at + 2], 0, 0, 0, 0, 0];
            let number = self.number(u64::from_le_bytes(bytes));
            found |= self.begun(number, line, at);
        }
        found
    }

    /// Returns the number of the bucket of the first bytes.
    fn number(&self, bytes: u64) -> u8 {
        self.slots.get(slot(bytes)).copied().unwrap_or_default()
    }

    /// Returns the bits of the marks of a bucket that begin here.
    fn begun(&self, number: u8, line: &[u8], at: usize) -> u32 {
        if number == 0 {
            return 0;
        }
        let here = self.buckets[usize::from(number)].iter();
        let here = here.filter(|mark| mark.is_at(line, at));
        here.fold(0, |found, mark| found | mark.of)
    }

    /// Returns the bits of the marks that are shorter than a prefix.
    fn short(&self, line: &[u8]) -> u32 {
        let is_here = |mark: &&Mark| {
            let at = match mark.is_start {
                true => Some(0),
                false => line.len().checked_sub(mark.text.len()),
            };
            at.is_some_and(|at| mark.is_at(line, at))
        };
        let here = self.buckets[0].iter().filter(is_here);
        here.fold(0, |found, mark| found | mark.of)
    }
}

impl Mark {
    fn is_as(&self, other: &Self) -> bool {
        let kind = |mark: &Self| (mark.is_start, mark.is_end, mark.is_before_digit);
        self.text == other.text && kind(self) == kind(other)
    }

    fn is_at(&self, line: &[u8], at: usize) -> bool {
        let end = at + self.text.len();
        // Byte by byte, since most differ early.
        let has_text = |bytes: &[u8]| bytes.iter().zip(&self.text).all(|(a, b)| a == b);
        line.get(at..end).is_some_and(has_text)
            && (!self.is_start || at == 0)
            && (!self.is_end || end == line.len())
            && (!self.is_before_digit || line.get(end).is_some_and(u8::is_ascii_digit))
    }
}

/// Returns the slot of the first bytes.
fn slot(bytes: u64) -> usize {
    let key = bytes as u32 & ((1 << (8 * PREFIX)) - 1);
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - SLOT_BITS)) as usize
}
