//! Decodes the characters of a file, whatever its encoding, because the parser takes only UTF-8.
//!
//! Bytes that are invalid in the encoding become U+FFFD, as in all untrusted text. A test that
//! prints some must not cost the results of all others.

use std::io::{BufRead, BufReader, Cursor, Read};

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::error::ReadError;

/// The bytes that are inspected before a file is read. An XML declaration fits into them.
const BEGIN: u64 = 1024;

/// The bytes read at a time.
const BUFFER: usize = 128 * 1024;

/// Returns the file as UTF-8.
pub(super) fn decoded(mut reader: impl Read) -> Result<impl BufRead, ReadError> {
    let mut begin = Vec::new();
    reader.by_ref().take(BEGIN).read_to_end(&mut begin)?;
    let encoding = of(&begin)?;
    let decoder = DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .bom_override(true)
        .build_with_buffer(Cursor::new(begin).chain(reader), vec![0; BUFFER])?;
    Ok(BufReader::with_capacity(BUFFER, decoder))
}

/// Returns the encoding of a file that begins with these bytes: by its byte order mark, else by its
/// form, else by its declaration, else UTF-8.
fn of(begin: &[u8]) -> Result<&'static Encoding, ReadError> {
    if let Some((encoding, _)) = Encoding::for_bom(begin) {
        return Ok(encoding);
    }
    match begin.trim_ascii_start() {
        [] => Ok(UTF_8),
        [b'<', 0, ..] => Ok(UTF_16LE),
        [b'<', ..] => declared(begin.trim_ascii_start()),
        [0, b'<', ..] => Ok(UTF_16BE),
        [b'{', ..] => Err(ReadError::Journal),
        _ => Err(ReadError::Unknown),
    }
}

/// Returns the encoding in the XML declaration. A declaration that is readable as ASCII is not in
/// UTF-16, although some writers claim that.
fn declared(begin: &[u8]) -> Result<&'static Encoding, ReadError> {
    let mut buffer = Vec::new();
    let event = Reader::from_reader(begin).read_event_into(&mut buffer);
    let Ok(Event::Decl(declaration)) = event else {
        return Ok(UTF_8);
    };
    let Some(Ok(name)) = declaration.encoding() else {
        return Ok(UTF_8);
    };
    match Encoding::for_label_no_replacement(name.as_bytes()) {
        Some(encoding) if [UTF_16LE, UTF_16BE].contains(&encoding) => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(ReadError::Encoding {
            name: name.chars().take(100).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let mut text = String::new();
        decoded(bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    #[test]
    fn what_the_declaration_says() {
        let with = |encoding: &str, bytes: &[u8]| {
            let declaration = format!("<?xml version='1.0' encoding='{encoding}'?>");
            let file = [declaration.as_bytes(), b"<a b='", bytes, b"'/>"].concat();
            text(&file).replace(&declaration, "")
        };
        for (encoding, bytes, shown) in [
            ("ISO-8859-1", &b"gr\xf6\xdfe"[..], "größe"),
            ("windows-1252", b"\x80", "€"),
            ("Shift_JIS", b"\x8a\xbf", "漢"),
            ("utf-8", "漢".as_bytes(), "漢"),
            ("UTF-16", "漢".as_bytes(), "漢"),
            ("UTF-8", b"a\xffb\xc3", "a\u{fffd}b\u{fffd}"),
        ] {
            assert_eq!(
                with(encoding, bytes),
                format!("<a b='{shown}'/>"),
                "{encoding}"
            );
        }
        let error = decoded(&b"<?xml version='1.0' encoding='klingon'?><a/>"[..])
            .err()
            .unwrap();
        assert!(error.to_string().contains("`klingon`"), "{error}");
    }

    #[test]
    fn what_the_mark_says_and_what_can_be_seen_without_one() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a b='漢'/>";
        for mark in ["", "\u{feff}"] {
            let marked = format!("{mark}{xml}");
            for unit in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(
                    text(&utf16(&marked, unit)).trim_start_matches('\u{feff}'),
                    xml
                );
            }
        }
        let marked = [b"\xef\xbb\xbf", xml.as_bytes()].concat();
        assert_eq!(text(&marked).trim_start_matches('\u{feff}'), xml);
        assert_eq!(text(b""), "");
    }

    #[test]
    fn a_mark_wins_over_the_declaration_and_text_between_buffers_is_whole() {
        let long = format!(
            "\u{feff}<?xml version='1.0' encoding='latin1'?>{}",
            "é漢".repeat(BUFFER)
        );
        assert_eq!(
            text(long.as_bytes()).trim_start_matches('\u{feff}'),
            &long[3..]
        );
    }

    #[test]
    fn other_files_are_not_taken_for_text() {
        for (bytes, what) in [
            (&b"plain"[..], "is neither JUnit nor a kata-ci journal"),
            (b"\x1f\x8b\x08", "is neither JUnit"),
            (b"\0\0\0\0", "is neither JUnit"),
            (b"{\"v\":1}", "looks like a journal"),
        ] {
            let error = decoded(bytes).err().unwrap().to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
