//! URLs without their passwords, for what people read.

/// Returns the text with `user:password@` taken out of every URL in it. A user without a password
/// stays.
pub fn without_credentials(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        clean.push_str(head);
        let end = tail
            .find(|letter: char| letter == '/' || letter.is_whitespace() || "'\"".contains(letter))
            .unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) if user.contains(':') => clean.push_str(host),
            _ => clean.push_str(authority),
        }
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_taken_out_of_urls() {
        let said = "fatal: 'https://ada:s3:cret@host/a' and http://x:y@h, ssh://ada@host:29418/a";
        let clean = "fatal: 'https://host/a' and http://h, ssh://ada@host:29418/a";
        assert_eq!(without_credentials(said), clean);
    }
}
