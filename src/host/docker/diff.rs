//! Differences for people, without the passwords that configuration files hold.

use similar::TextDiff;

use crate::text::{clean_bytes, secrets};

/// Returns the difference of two files in the form of `diff -u`. A file that is not there is empty.
pub fn diff(before: Option<&[u8]>, after: Option<&[u8]>, names: (&str, &str)) -> String {
    let text = |bytes: Option<&[u8]>| secrets::mask(&clean_bytes(bytes.unwrap_or_default())).text;
    let (before, after) = (text(before), text(after));
    let lines = TextDiff::from_lines(before.as_str(), after.as_str());
    let mut shown = lines.unified_diff();
    shown.context_radius(3).header(names.0, names.1);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_lines_and_no_secrets() {
        let before = "{\n  \"proxies\": {\"http-proxy\": \"http://ada:s3cret@proxy:80\"},\n  \"log-opts\": {\"splunk-token\": \"abc-def\"},\n  \"a\": 1\n}\n";
        let after = before.replace("1\n", "1,\n  \"b\": \"\u{1b}[31m\"\n");
        let shown = diff(
            Some(before.as_bytes()),
            Some(after.as_bytes()),
            ("a/f", "b/f"),
        );
        assert_eq!(
            shown,
            "--- a/f\n+++ b/f\n@@ -1,5 +1,6 @@\n {\n   \"proxies\": {\"http-proxy\": \"http://***@proxy:80\"},\n   \"log-opts\": {\"splunk-token\": \"***\"},\n-  \"a\": 1\n+  \"a\": 1,\n+  \"b\": \"\"\n }\n"
        );
        assert_eq!(
            diff(None, Some(b"x\n"), ("a", "b")),
            "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n"
        );
    }
}
