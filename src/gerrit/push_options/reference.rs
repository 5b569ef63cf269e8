//! Encodes options behind the `%` of a ref's name.

use super::{PushOption, PushOptions};

/// An option that cannot stand in a ref's name. The server would have to support push options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{option}` cannot be sent: the server takes no push options (`receive.advertisePushOptions`), and {cause}, which options behind `%` cannot hold"
)]
pub struct NotInReference {
    /// The option.
    pub option: String,
    /// The cause, in words.
    pub cause: String,
}

/// Returns `%k=v,k2` for the end of a ref's name; an empty text without options.
///
/// # Errors
///
/// [`NotInReference`] for a value with a comma, or one that git does not allow in a ref's name.
pub fn suffix(options: &PushOptions) -> Result<String, NotInReference> {
    let mut suffix = String::new();
    for option in options.iter() {
        let text = option.encoded();
        if let Some(cause) = obstacle(&text) {
            return Err(refused(option, cause));
        }
        suffix.push(if suffix.is_empty() { '%' } else { ',' });
        suffix.push_str(&text);
    }
    match suffix.ends_with(['.', '/']) || suffix.ends_with(".lock") {
        true => Err(NotInReference {
            option: suffix,
            cause: "it ends with a dot, a slash or `.lock`".to_owned(),
        }),
        false => Ok(suffix),
    }
}

fn refused(option: &PushOption, cause: String) -> NotInReference {
    NotInReference {
        option: option.to_string().escape_debug().to_string(),
        cause,
    }
}

/// Finds a character that git-check-ref-format(1) forbids, or the comma, which separates options.
fn obstacle(text: &str) -> Option<String> {
    let forbidden = |letter: &char| letter.is_ascii_control() || " ,~^:?*[\\".contains(*letter);
    if let Some(letter) = text.chars().find(forbidden) {
        return Some(match letter {
            ' ' => "it has a space".to_owned(),
            ',' => "it has a comma".to_owned(),
            letter => format!("it has `{}`", letter.escape_default()),
        });
    }
    ["..", "@{", "//", "/.", ".lock/"]
        .into_iter()
        .find(|pair| text.contains(pair))
        .map(|pair| format!("it has `{pair}`"))
}
