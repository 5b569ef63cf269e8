//! Hides known secrets in a stream, such as the passwords of proxies in a job's output: a job that
//! prints its environment prints its proxy.
//!
//! A hidden secret keeps its length, so offsets into the stream stay right. If the stream so far
//! ends with the beginning of a secret, that beginning is held back until more is known.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// The filter that hides known secrets in a stream.
#[derive(Debug, Default)]
pub struct KnownSecrets {
    secrets: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl KnownSecrets {
    /// Makes the filter of these users and passwords, each as a URL has it: `USER:PASSWORD@`.
    pub fn new(credentials: &[String]) -> Self {
        Self {
            secrets: credentials.iter().flat_map(|text| forms(text)).collect(),
            held: Vec::new(),
        }
    }

    /// Takes the next bytes, and returns all bytes that are certain to hold no secret any more.
    pub fn pass<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.secrets.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        for secret in &self.secrets {
            hide(&mut all, secret);
        }
        self.held = all.split_off(all.len() - self.open_end(&all));
        Cow::Owned(all)
    }

    /// Returns the bytes that were held back. Nothing follows that could make a secret of them.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Returns the number of bytes at the end that may be the beginning of a secret.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let of_one = |secret: &Vec<u8>| {
            let longest = bytes.len().min(secret.len() - 1);
            (1..=longest)
                .rev()
                .find(|length| bytes.ends_with(&secret[..*length]))
        };
        self.secrets.iter().filter_map(of_one).max().unwrap_or(0)
    }
}

fn hide(bytes: &mut [u8], secret: &[u8]) {
    let places: Vec<usize> = memmem::find_iter(bytes, secret).collect();
    for at in places {
        bytes[at..at + secret.len()].fill(b'*');
    }
}

/// Returns the forms of a secret: `user:password@` as in the URL, and the text of the header that a
/// program sends to the proxy (`Proxy-Authorization: Basic …`).
fn forms(text: &str) -> [Vec<u8>; 2] {
    let user = text.strip_suffix('@').unwrap_or(text);
    let header = STANDARD.encode(percent_decoded(user));
    [text.as_bytes().to_vec(), header.into_bytes()]
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(credentials: &str, pieces: &[&[u8]]) -> String {
        let mut mask = KnownSecrets::new(&[credentials.to_owned()]);
        let mut shown: Vec<u8> = Vec::new();
        for piece in pieces {
            shown.extend_from_slice(&mask.pass(piece));
        }
        shown.extend(mask.finish());
        String::from_utf8(shown).unwrap()
    }

    const PROXY: &str = "ada:p%40ss@";

    #[test]
    fn a_password_is_hidden_wherever_the_output_is_cut() {
        let text =
            b"a http_proxy=http://ada:p%40ss@proxy:3128 ada ada:p%40 Basic YWRhOnBAc3M= ada:";
        let expected =
            "a http_proxy=http://***********proxy:3128 ada ada:p%40 Basic ************ ada:";
        for cut in 0..text.len() {
            assert_eq!(
                printed(PROXY, &[&text[..cut], &text[cut..]]),
                expected,
                "{cut}"
            );
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(printed(PROXY, &bytes), expected);
    }

    #[test]
    fn without_a_password_nothing_is_touched_or_held() {
        let mut mask = KnownSecrets::default();
        assert!(matches!(mask.pass(b"http://proxy:3128"), Cow::Borrowed(_)));
        assert!(mask.finish().is_empty());
    }

    proptest! {
        #[test]
        fn what_holds_no_password_comes_through_as_it_is(pieces in prop::collection::vec("[ad:@p%40s ]{0,6}", 0..9)) {
            let text = pieces.concat();
            prop_assume!(!text.contains("ada:p%40ss@"));
            let cut: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            prop_assert_eq!(printed(PROXY, &cut), text);
        }
    }
}
