use super::*;

fn kata() -> RuntimeEntry {
    RuntimeEntry::Path("/usr/bin/kata-runtime".to_owned())
}

fn with_kata(text: &str) -> String {
    let mut file = DaemonJson::parse(text.as_bytes()).unwrap();
    file.set_runtime("kata", &kata()).unwrap();
    assert!(file.is_runtime("kata", &kata()));
    String::from_utf8(file.bytes()).unwrap()
}

#[test]
fn a_file_that_is_empty_gets_its_first_runtime() {
    for text in ["", " \n", "{}", "{\n}\n"] {
        let ends = if text == "{}" { "}" } else { "}\n" };
        assert_eq!(
            with_kata(text),
            format!(
                "{{\n    \"runtimes\": {{\n        \"kata\": {{\n            \"path\": \"/usr/bin/kata-runtime\"\n        }}\n    }}\n{ends}"
            ),
            "{text:?}"
        );
    }
}

#[test]
fn the_rest_stays_byte_for_byte() {
    let text = "\u{feff}{\r\n\t\"max\" : 12345678901234567890123,\r\n\r\n\t\"runtimes\":{\r\n\t\t\"a\":  {\"path\":\"/a\" }\r\n\t}  ,\"z\":1}\r\n \t";
    let after = with_kata(text);
    let entry = ",\r\n\t\t\"kata\": {\r\n\t\t\t\"path\": \"/usr/bin/kata-runtime\"\r\n\t\t}";
    assert_eq!(after.replacen(entry, "", 1), text);
    assert!(after.contains(&format!("\"/a\" }}{entry}\r\n\t}}  ,")));
}

#[test]
fn a_file_of_one_line_stays_one() {
    assert_eq!(
        with_kata(r#"{"debug":true}"#),
        r#"{"debug":true, "runtimes": {"kata": {"path": "/usr/bin/kata-runtime"}}}"#
    );
    assert_eq!(
        with_kata(r#"{"runtimes":{ },"debug":true}"#),
        r#"{"runtimes":{"kata": {"path": "/usr/bin/kata-runtime"} },"debug":true}"#
    );
}

#[test]
fn an_entry_is_replaced_and_removed_without_its_neighbours() {
    let text = "{\n  \"runtimes\": {\n    \"a\": {\"path\": \"/a\"},\n    \"kata\": {\"path\": \"/old\", \"runtimeArgs\": [\"x\"]},\n    \"z\": {\"path\": \"/z\"}\n  },\n  \"default-runtime\": \"kata\"\n}\n";
    let after = with_kata(text);
    assert!(after.contains("\"a\": {\"path\": \"/a\"},\n    \"kata\": {\n      \"path\": \"/usr/bin/kata-runtime\"\n    },\n    \"z\""));
    let mut file = DaemonJson::parse(text.as_bytes()).unwrap();
    assert!(file.remove_runtime("kata").unwrap());
    assert_eq!(
        String::from_utf8(file.bytes()).unwrap(),
        "{\n  \"runtimes\": {\n    \"a\": {\"path\": \"/a\"},\n    \"z\": {\"path\": \"/z\"}\n  }\n}\n"
    );
    for name in ["a", "z"] {
        assert!(file.remove_runtime(name).unwrap());
    }
    assert!(!file.remove_runtime("kata").unwrap());
    assert_eq!(file.bytes(), b"{\n  \"runtimes\": {}\n}\n");
}

#[test]
fn a_runtime_that_was_added_is_removed_without_a_trace() {
    for text in [
        "{\n  \"a\": 1\n}\n",
        "{\"a\":1,\"runtimes\":{\"b\":{}}}",
        "{\"runtimes\": {\"x\": {}}, \"default-runtime\": \"x\"}",
    ] {
        let mut file = DaemonJson::parse(with_kata(text).as_bytes()).unwrap();
        assert!(file.remove_runtime("kata").unwrap());
        let left = String::from_utf8(file.bytes()).unwrap();
        let left = left.replace(",\n  \"runtimes\": {}", "");
        assert_eq!(left, text);
    }
}

#[test]
fn what_would_have_to_be_guessed_is_refused_with_its_place() {
    let refused = [
        (
            "{\"a\":1,\n\"a\":2}",
            "`a` stands twice, in lines 1 and 2: docker takes the last one, without a word",
        ),
        (
            "{\"runtimes\":{},\n\"runt\\u0069mes\":{}}",
            "`runtimes` stands twice, in lines 1 and 2: docker takes the last one, without a word",
        ),
        (
            "{\"runtimes\":{\"k\":{},\n\n\"k\":{}}}",
            "`runtimes.k` stands twice, in lines 1 and 3: docker takes the last one, without a word",
        ),
        (
            "{\"runtimes\":{\"k\":{\"path\":\"a\",\"path\":\"b\"}}}",
            "`runtimes.k.path` stands twice, in lines 1 and 1: docker takes the last one, without a word",
        ),
        (
            "{\n\"runtimes\": null}",
            "line 2: `runtimes` is null, and has to be an object",
        ),
        (
            "{\"runtimes\": []}",
            "line 1: `runtimes` is an array, and has to be an object",
        ),
        (
            "{\"runtimes\": {\"k\": \"/usr/bin/k\"}}",
            "line 1: `runtimes.k` is a string, and has to be an object",
        ),
        (
            "{\"default-runtime\": 7}",
            "line 1: `default-runtime` is a number, and has to be a string",
        ),
        (
            "[]",
            "line 1: `the whole file` is an array, and has to be an object",
        ),
        (
            "{'a': 1}",
            "it is not JSON, and docker does not start with it: key must be a string at line 1 column 2",
        ),
        (
            "{\"a\": 1,}",
            "it is not JSON, and docker does not start with it: trailing comma at line 1 column 9",
        ),
        (
            "{} // end",
            "it is not JSON, and docker does not start with it: trailing characters at line 1 column 4",
        ),
    ];
    for (text, words) in refused {
        let error = DaemonJson::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), words, "{text}");
    }
    let error = DaemonJson::parse(b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!(error, DaemonJsonError::Encoding(6));
    let deep = "[".repeat(100_000);
    assert!(DaemonJson::parse(deep.as_bytes()).is_err());
}
