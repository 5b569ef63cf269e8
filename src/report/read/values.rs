//! Parses values in the forms that writers use.

use std::borrow::Cow;

/// Returns the character for the name of an entity or a reference (`amp`, `#10`, `#x1B`); `None` if
/// XML does not define it. References to characters that XML does not allow, which careless writers
/// make, become U+FFFD.
pub(super) fn entity(name: &str) -> Option<char> {
    let number = match name.strip_prefix('#') {
        Some(number) => number,
        None => {
            return match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            };
        }
    };
    let parsed = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    let digits = number.trim_start_matches(['x', 'X']);
    let looks_right = !digits.is_empty() && digits.chars().all(|one| one.is_ascii_hexdigit());
    looks_right.then(|| {
        parsed
            .ok()
            .and_then(char::from_u32)
            .filter(|character| *character != '\0')
            .unwrap_or(char::REPLACEMENT_CHARACTER)
    })
}

/// Resolves the references in an attribute's value, or returns the name of an undefined entity.
pub(super) fn unescape(raw: &str) -> Result<Cow<'_, str>, String> {
    if !raw.contains('&') {
        return Ok(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut pieces = raw.split('&');
    value.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let known = piece
            .split_once(';')
            .and_then(|(name, rest)| Some((entity(name)?, rest)));
        let Some((character, rest)) = known else {
            let name = piece.split(';').next().unwrap_or_default();
            return Err(name.chars().take(100).collect());
        };
        value.push(character);
        value.push_str(rest);
    }
    Ok(Cow::Owned(value))
}

/// Parses a duration in seconds: `0.5`, `1,234.5` (surefire's thousands), `0,5` (a German locale),
/// `1e-5`, `0.5s`.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches('s');
    let plain = match (text.contains('.'), text.contains(',')) {
        (true, true) => text.replace(',', ""),
        (false, true) => text.replace(',', "."),
        _ => text.to_owned(),
    };
    plain
        .parse()
        .ok()
        .filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_nothing_else() {
        assert_eq!(unescape("a &lt;&#65;&#x42;&amp;lt;").unwrap(), "a <AB&lt;");
        assert_eq!(
            unescape("&#0;&#xFFFFFFFFF;&#27;").unwrap(),
            "\u{fffd}\u{fffd}\u{1b}"
        );
        assert_eq!(unescape("&lol9;"), Err("lol9".to_owned()));
        assert_eq!(unescape("a & b"), Err(" b".to_owned()));
        for name in ["#", "#x", "#xg", "#-1", "#+1", "nbsp"] {
            assert_eq!(entity(name), None, "{name}");
        }
    }

    #[test]
    fn durations_in_the_forms_of_the_writers() {
        assert_eq!(seconds("0.5"), Some(0.5));
        assert_eq!(seconds("1,234.5"), Some(1234.5));
        assert_eq!(seconds("0,5"), Some(0.5));
        assert_eq!(seconds("1e-3"), Some(0.001));
        assert_eq!(seconds("0.5s"), Some(0.5));
        for text in ["", "NaN", "inf", "-1", "soon"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
