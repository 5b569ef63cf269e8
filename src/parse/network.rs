//! Finds attempts to use the network: the messages in which programs report that they could not
//! reach a host.
//!
//! The texts are those of curl and git, Go, Rust, Java, Python (pip), apt, wget, bash and npm, as
//! they stand in their sources and as they print them without a network. Pure and total; the output
//! can hold any bytes.
//!
//! It is used for jobs that failed with the network off. It does not say that the job failed
//! because of the network.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// The most attempts reported of one output.
const MOST: usize = 10;

/// The longest name or address taken. The name of a host has at most 253 letters, see RFC 1035.
const LONGEST: usize = 260;

/// The name reported if the output tells none.
pub const NAMELESS: &str = "the network";

/// The group that matches holds the host that could not be reached.
const PATTERNS: &str = concat!(
    r"(?i-u)",
    // curl, git and cargo over libcurl; wget: `unable to resolve host address ‘X’`, `Connecting to
    // X:80... failed: Network`.
    r"could not resolve (?:host|proxy)(?:name)?:? '?(?<curl>[a-z0-9._:-]+)",
    r"|unable to resolve host address [^a-z0-9\n]{0,4}(?<wget>[a-z0-9._:-]+)",
    r"|connecting to (?<connecting>[a-z0-9._:\[\]-]+)\.\.\. failed: network is unreachable",
    r"|failed to connect to (?<connect>[a-z0-9._:\[\]-]+) port \d+",
    // Go: `dial tcp: lookup X on SERVER: …`, `dial tcp 192.0.2.1:443: connect: network is
    // unreachable`. The server that was asked for the name is not the host that was tried.
    r"|dial (?:tcp|udp)[46]?: lookup (?<dialled>[a-z0-9._-]+)(?: on \S+ (?:dial|read|write) (?:tcp|udp)[46]? \S+)?",
    r"|\blookup (?<lookup>[a-z0-9._-]+)(?: on \S+ (?:dial|read|write) (?:tcp|udp)[46]? \S+|: no such host)",
    r"|dial (?:tcp|udp)[46]? (?<dial>[a-z0-9._:\[\]-]+): (?:connect: network is unreachable|i/o timeout)",
    // Python: urllib3 in pip, requests.
    r"|HTTPS?Connection(?:Pool)?\(host='(?<python>[^'\n]+)'",
    // apt: `Could not resolve 'X'`, `Temporary failure resolving 'X'`.
    r"|(?:could not resolve|failure resolving) '(?<apt>[^'\n]+)'",
    // node: `getaddrinfo EAI_AGAIN X`, `connect ENETUNREACH 192.0.2.1:443`.
    r"|getaddrinfo (?:EAI_AGAIN|ENOTFOUND) (?<node>[a-z0-9._-]+)",
    r"|connect ENETUNREACH (?<unreachable>[a-z0-9._:\[\]-]+)",
    // Java: `java.net.UnknownHostException: X`; Maven: `Unknown host X: …`.
    r"|unknown ?host(?:exception)?:? (?<java>[a-z0-9._-]*[a-z0-9])",
    // libgit2 in cargo; git: `unable to look up X (port 9418)`, `unable to connect to X:`.
    r"|failed to resolve address for (?<libgit>[a-z0-9._:-]+)",
    r"|unable to (?:look up|connect to) (?<daemon>[a-z0-9._-]+)[ :]",
    // ssh: `Could not resolve hostname X: …`, `connect to host X port 22: Network is unreachable`.
    r"|connect to host (?<ssh>[a-z0-9._:\[\]-]+) port \d+",
    // rustup, reqwest: `error trying to connect: dns error`, with the address before it.
    r"|error sending request for url \((?<url>[a-z]+://[^\s)\n]+)",
    r"|unable to access '(?<git>[a-z]+://[^'\n]+)'",
    // bash: `/dev/tcp/192.0.2.1/80: Network is unreachable`; ping, bash: `X: Temporary failure in
    // name resolution`.
    r"|/dev/(?:tcp|udp)/(?<bash>[a-z0-9._:-]+)/\S+ network is unreachable",
    r"|(?<named>[a-z0-9_-]+(?:\.[a-z0-9_-]+)+): temporary failure in name resolution",
    // Messages without a host: those of the system, and of getaddrinfo(3).
    r"|(?<nothing>network is unreachable|temporary failure in name resolution|dns error: failed to lookup)",
);

static TRIED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PATTERNS).ok());

/// Returns the names and addresses that the output reports as unreachable, each once, in order, at
/// most ten. If it tells no name, returns [`NAMELESS`].
pub fn network_tried(output: &[u8]) -> Vec<String> {
    let mut tried: Vec<String> = Vec::new();
    let mut is_nameless = false;
    for found in TRIED.iter().flat_map(|regex| regex.captures_iter(output)) {
        match target(&found) {
            None => is_nameless = true,
            Some(name) if is_own(&name) || tried.contains(&name) => {}
            Some(name) => tried.push(name),
        }
        if tried.len() == MOST {
            break;
        }
    }
    if tried.is_empty() && is_nameless {
        tried.push(NAMELESS.to_owned());
    }
    tried
}

fn target(found: &regex::bytes::Captures<'_>) -> Option<String> {
    if found.name("nothing").is_some() {
        return None;
    }
    let group = found.iter().skip(1).flatten().next()?;
    let text = String::from_utf8_lossy(group.as_bytes());
    let text = match text.split_once("://") {
        // Only the host of an address is kept, because a password can stand before it.
        Some((_, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            host.rsplit('@').next().unwrap_or_default().to_owned()
        }
        None => text.into_owned(),
    };
    let name = text.trim_end_matches(['.', ':', ',']);
    let is_clean = !name.is_empty() && !name.contains(char::is_control);
    (is_clean && name.len() <= LONGEST).then(|| name.to_owned())
}

/// Returns true for the job's own loopback. A test that fails to reach that has not tried the
/// network.
fn is_own(name: &str) -> bool {
    let name = name.trim_start_matches('[');
    name.starts_with("localhost") || name.starts_with("127.") || name.starts_with("::1")
}

/// Returns the advice for a job that tried the network while it was off.
pub fn network_fix() -> &'static str {
    "mark the step `network = \"on\"`, or bring it beforehand with a step of its own that fetches"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Messages of programs, each with the host that it names.
    const SAID: &[(&str, &str)] = &[
        (
            "curl: (6) Could not resolve host: example.com\n",
            "example.com",
        ),
        (
            "fatal: unable to access 'https://user:secret@github.com/kata-containers/tests/': Could not resolve host: github.com\n",
            "github.com",
        ),
        (
            "Get \"https://modules.example.org/x\": dial tcp: lookup modules.example.org on 192.0.2.53:53: read udp",
            "modules.example.org",
        ),
        (
            "dial tcp 192.0.2.7:443: connect: network is unreachable",
            "192.0.2.7:443",
        ),
        (
            "dial tcp [2001:db8::1]:443: connect: network is unreachable",
            "[2001:db8::1]:443",
        ),
        (
            "warning: spurious network error (3 tries remaining): [6] Couldn't resolve host name (Could not resolve host: crates.example.org)",
            "crates.example.org",
        ),
        (
            "HTTPSConnectionPool(host='python.example.org', port=443): Max retries exceeded",
            "python.example.org",
        ),
        (
            "Err:1 http://deb.example.org/debian stable InRelease\n  Temporary failure resolving 'deb.example.org'",
            "deb.example.org",
        ),
        (
            "wget: unable to resolve host address \u{2018}example.org\u{2019}",
            "example.org",
        ),
        (
            "npm ERR! getaddrinfo EAI_AGAIN npm.example.org",
            "npm.example.org",
        ),
        (
            "ssh: Could not resolve hostname review.example.com: Temporary failure in name resolution",
            "review.example.com",
        ),
        (
            "curl: (7) Failed to connect to 192.0.2.1 port 443 after 0 ms: Couldn't connect to server",
            "192.0.2.1",
        ),
        (
            "dial tcp: lookup go.example.org on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable",
            "go.example.org",
        ),
        (
            "lookup go.example.org on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable",
            "go.example.org",
        ),
        ("lookup go.example.org: no such host", "go.example.org"),
        (
            "failed to resolve address for crates.example.org: Temporary failure in name resolution; class=Net (12)",
            "crates.example.org",
        ),
        (
            "fatal: unable to look up git.example.org (port 9418) (Temporary failure in name resolution)",
            "git.example.org",
        ),
        (
            "fatal: unable to connect to 192.0.2.7:\n192.0.2.7[0: 192.0.2.7]: errno=Network is unreachable",
            "192.0.2.7",
        ),
        (
            "Connecting to 192.0.2.7:80... failed: Network is unreachable.",
            "192.0.2.7:80",
        ),
        (
            "Exception in thread \"main\" java.net.UnknownHostException: java.example.org\n\tat",
            "java.example.org",
        ),
        (
            "transfer failed for https://maven.example.org/p.pom: Unknown host maven.example.org: Temporary failure in name resolution",
            "maven.example.org",
        ),
        (
            "bash: line 1: /dev/tcp/192.0.2.7/80: Network is unreachable",
            "192.0.2.7",
        ),
        (
            "ping: ping.example.org: Temporary failure in name resolution",
            "ping.example.org",
        ),
        (
            "failed to lookup address information: Temporary failure in name resolution",
            "the network",
        ),
        (
            "Os { code: 101, kind: NetworkUnreachable, message: \"Network is unreachable\" }",
            "the network",
        ),
    ];

    #[test]
    fn what_each_program_says_names_what_it_tried() {
        for (output, expected) in SAID {
            assert_eq!(network_tried(output.as_bytes()), [*expected], "{output}");
        }
    }

    #[test]
    fn what_has_nothing_to_do_with_it_is_passed_over() {
        for output in [
            "dial tcp 127.0.0.1:10000: connect: connection refused",
            "Failed to connect to localhost port 80: Connection refused",
            "ok  \tgithub.com/kata-containers/agent\t0.1s",
            "",
        ] {
            assert!(network_tried(output.as_bytes()).is_empty(), "{output}");
        }
    }

    #[test]
    fn each_is_named_once_in_order_and_not_more_than_ten() {
        let lines: String = (0..40)
            .map(|number| format!("Could not resolve host: h{}\n", number / 2))
            .collect();
        let tried = network_tried(lines.as_bytes());
        assert_eq!(tried.len(), MOST);
        assert_eq!(tried[..2], ["h0", "h1"]);
    }

    proptest! {
        #[test]
        fn any_bytes_give_clean_short_names(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60) {
            let mut output = b"Could not resolve host: ".to_vec();
            output.truncate(cut);
            output.extend_from_slice(&bytes);
            for name in network_tried(&output) {
                prop_assert!(!name.is_empty() && name.len() <= LONGEST && !name.contains(char::is_control));
            }
        }
    }
}
