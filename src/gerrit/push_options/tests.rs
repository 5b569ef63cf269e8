//! Tests the encoding against a model of Gerrit's decoder, and the refused options.

use proptest::prelude::*;

use super::*;

/// Decodes as Gerrit does: `%` separates ref and options, commas separate options, the first `=`
/// separates key and value; a message is decoded. For `git push -o` the first two steps do not
/// apply.
fn decode(options: &[&str]) -> Vec<(String, String)> {
    options
        .iter()
        .map(|option| option.split_once('=').unwrap_or((option, "")))
        .map(|(key, value)| match key {
            "message" => (key.to_owned(), url_decode(&value.replace('_', " "))),
            _ => (key.to_owned(), value.to_owned()),
        })
        .collect()
}

fn url_decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, next) = match (first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, next @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), next)
            }
            _ => (*first, tail),
        };
        bytes.push(byte);
        rest = next;
    }
    String::from_utf8(bytes).unwrap()
}

fn expected(options: &PushOptions) -> Vec<(String, String)> {
    options
        .iter()
        .map(|option| {
            let value = option.value().unwrap_or_default();
            (option.key().to_string(), value.to_owned())
        })
        .collect()
}

/// Checks a ref by the rule of git-check-ref-format(1). Asking git itself would cost a process for
/// each case.
fn is_ref(name: &str) -> bool {
    let bad = |letter: char| letter.is_ascii_control() || " ~^:?*[\\".contains(letter);
    !name.contains(bad)
        && !["..", "@{", "//", "/."]
            .iter()
            .any(|pair| name.contains(pair))
        && !name.ends_with(['.', '/'])
        && !name.split('/').any(|part| part.ends_with(".lock"))
}

fn any_option() -> impl Strategy<Value = PushOption> {
    let key = prop::sample::select(Key::ALL.to_vec());
    let text = prop_oneof![
        "[a-zA-Z0-9_+%é.,/@# -]{1,20}",
        "\\PC{1,12}",
        "[a-z_+%é\n\r\t]{1,12}",
        Just("OWNER".to_owned()),
        "[0-9a-f]{40}",
        "[A-Z][a-z]{1,6}[+-][0-9]",
    ];
    (key, text).prop_filter_map("refused", |(key, text)| {
        let value = (key.kind() != ValueKind::Flag).then_some(text);
        PushOption::new(key, value.as_deref()).ok()
    })
}

fn any_options() -> impl Strategy<Value = PushOptions> {
    prop::collection::vec(any_option(), 0..6).prop_filter_map("do not go together", |options| {
        PushOptions::new(options).ok()
    })
}

proptest! {
    #[test]
    fn push_options_are_decoded_to_what_was_meant(options in any_options()) {
        let arguments = options.arguments();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        prop_assert_eq!(decode(&arguments), expected(&options));
    }

    #[test]
    fn nothing_sent_has_a_new_line(options in any_options()) {
        for argument in options.arguments() {
            prop_assert!(!argument.chars().any(char::is_control), "{argument:?}");
        }
    }

    #[test]
    fn a_suffix_is_a_ref_and_decoded_to_what_was_meant(options in any_options()) {
        if let Ok(suffix) = suffix(&options) {
            let reference = format!("refs/for/master{suffix}");
            prop_assert!(is_ref(&reference), "{reference:?}");
            let parts: Vec<_> = match suffix.strip_prefix('%') {
                Some(rest) => rest.split(',').collect(),
                None => Vec::new(),
            };
            prop_assert_eq!(decode(&parts), expected(&options));
        }
    }

    #[test]
    fn messages_go_into_any_ref(text in "\\PC{1,30}|[_+%é\n ]{1,30}") {
        let option = PushOption::new(Key::Message, Some(&text)).unwrap();
        prop_assert!(suffix(&PushOptions::new([option]).unwrap()).is_ok());
    }

    #[test]
    fn whatever_is_parsed_is_never_an_option_of_git(text in "-{0,2}\\PC{0,30}") {
        if let Ok(option) = PushOption::parse(&text) {
            prop_assert!(!option.encoded().starts_with('-'));
        }
    }
}

#[test]
fn what_gerrit_would_refuse_is_refused() {
    for (text, reason) in [
        ("topci=a", "did you mean `topic`"),
        ("topic", "needs a value"),
        ("topic=", "needs a value"),
        ("topic=a\nb", "control characters"),
        ("topic=a\nreviewer=evil@example.com", "control characters"),
        ("topic=a\"b", "quotation mark"),
        ("wip=false", "takes no value"),
        ("hashtag=a,b", "no comma"),
        ("t=##", "a hashtag is a word"),
        ("label=Verified=1", "is written Name+1"),
        ("label=$(id)+1", "is written Name+1"),
        ("label=", "needs a value"),
        ("notify=EVERYBODY", "is one of NONE"),
        ("base=HEAD", "40 hexadecimal"),
        ("base=--upload-pack=x", "40 hexadecimal"),
        ("skip-validation", "knows no push option"),
        ("--receive-pack=evil", "knows no push option"),
        ("a\nb", r"`a\nb`"),
    ] {
        let error = PushOption::parse(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
    }
    let long = "x".repeat(2049);
    assert!(PushOption::new(Key::Topic, Some(&long)).is_err());
    assert!(PushOption::new(Key::Topic, Some(&long[1..])).is_ok());
    assert!(PushOption::new(Key::Message, Some(&"_".repeat(30_000))).is_err());
}

#[test]
fn labels_as_gerrit_reads_them() {
    for good in [
        "Code-Review+1",
        "Code-Review-2",
        "Verified",
        "-Verified",
        "Code-Review",
    ] {
        assert!(PushOption::new(Key::Label, Some(good)).is_ok(), "{good}");
    }
    for bad in ["Code Review+1", "+1", "-", "Verified+1+", "Ü+1", "A+99999"] {
        assert!(PushOption::new(Key::Label, Some(bad)).is_err(), "{bad}");
    }
}

#[test]
fn pairs_that_exclude_each_other() {
    let all = |texts: &[&str]| {
        PushOptions::new(texts.iter().map(|text| PushOption::parse(text).unwrap()))
    };
    let base = format!("base={}", "a".repeat(40));
    for pair in [
        ["wip", "ready"],
        ["private", "remove-private"],
        ["np", "publish-comments"],
        ["merged", &base],
    ] {
        assert!(
            matches!(all(&pair), Err(InvalidOption::Exclusive(..))),
            "{pair:?}"
        );
    }
    assert_eq!(
        all(&["topic=a", "topic=b"]),
        Err(InvalidOption::Twice(Key::Topic))
    );
    assert_eq!(
        all(&["topic=a", "topic=a", "wip"]).unwrap().arguments(),
        ["topic=a", "wip"]
    );
    assert_eq!(
        all(&["t=#a", "t=b"]).unwrap().arguments(),
        ["hashtag=a", "hashtag=b"]
    );
}

#[test]
fn what_a_ref_cannot_hold_is_said() {
    let one = |text| suffix(&PushOptions::new([PushOption::parse(text).unwrap()]).unwrap());
    assert_eq!(one("topic=a%20b").unwrap(), "%topic=a%20b");
    for (text, cause) in [
        ("topic=a b", "a space"),
        ("topic=a,b", "a comma"),
        ("topic=a..b", "`..`"),
        ("topic=a@{b", "`@{`"),
        ("topic=a/.b", "`/.`"),
        ("topic=a:b", "`:`"),
        ("topic=a.lock", ".lock"),
        ("topic=a.", "a dot"),
    ] {
        let error = one(text).unwrap_err().to_string();
        assert!(
            error.contains(cause) && error.contains("push options"),
            "{text}: {error}"
        );
    }
}
