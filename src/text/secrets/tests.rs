//! Tables of what is a secret, and of what is none.

use super::*;
use proptest::prelude::*;

/// The word that stands for a secret in the samples.
const S: &str = "Zq7-plAnted-9x";

/// Texts with one secret each, in its place `§`.
const SECRETS: &[&str] = &[
    "http://ada:§@proxy:3128/",
    "https://§@github.com/a/b.git",
    r"https:\/\/ada:§@host\/path",
    "\"http://ada:§/with@odd@host/path\"",
    "GOPROXY=https://a:§@one/go,direct",
    "https_proxy=ada:§@proxy:3128",
    "kernel_params = \"agent.https_proxy=http://u:§@p:1 agent.log=debug\"",
    "kernel_params = \"agent.aa_kbc_params=cc_kbc::§ quiet\"",
    "quiet agent.aa_kbc_params=§ agent.log=debug",
    "io.katacontainers.config.hypervisor.cc_init_data = \"§\"",
    "Authorization: Basic QWRhOlpxNy1wbEFudGVk§",
    "curl -H 'Authorization: Bearer §' http://x",
    "\"Authorization\": \"token §\"",
    "Authorization:[Bearer §] Accept:[*/*]",
    "time=\"x\" msg=\"sent Bearer §\"",
    "X-Auth-Token: §",
    "PRIVATE-TOKEN: §",
    "Cookie: session=§; other=§",
    "GITHUB_TOKEN=§",
    "export DB_PASSWORD=§ and more words",
    "Environment=\"DB_PASSWORD=§ and more\" A=b",
    "Environment=MODE=1 API_KEY=§ B=c",
    "\"Env\": [\"PATH=/bin\", \"MYSQL_PASSWORD=§ x\"]",
    "dockerd --log-opt splunk-token=§ --debug",
    "tool --token § --verbose",
    "tool --password=§ --verbose",
    "\"argv\": [\"--api-key\", \"§\"]",
    "['--token', '§', 'x']",
    "curl -u ada:§ http://x",
    "docker login -u ada -p § registry",
    "sshpass -p § ssh host",
    "openssl rsa -passin pass:§ -in k",
    "mysql -uroot -p§ db",
    "{\"auth\": \"§\"}",
    "{\\\"password\\\": \\\"§\\\"}",
    "{\"password\":\"§ with \\\"quotes\\\" in\"}",
    "\"identitytoken\" : \"§\"",
    "password = '§'",
    "token = \"\"\"\n§\n\"\"\"",
    "tokens = [\"§\", \"§\"]",
    "  password: § horse battery",
    "- clientSecret: \"§\"",
    "password: |\n  §\n  §\nnext: 1",
    "{\"name\":\"DB_PASSWORD\",\"value\":\"§\"}",
    "- name: DB_PASSWORD\n  value: §",
    "{\"key\":\"API_TOKEN\",\"value\":\"§\"}",
    "{Username:ada Password:§ Auth:}",
    "password: Some(\"§\")",
    "machine x login ada password §",
    "<password>§</password>",
    "https://s3/x?X-Amz-Signature=§&a=b",
    "https://x/y?access_token=§&user=ada",
    "-object secret,id=s0,data=§,format=raw",
    "Server=x;Password=§;Pooling=true",
    "client-key-data: §",
    "encryption_key=§",
    "key=§",
    "kubeadm join 1.2.3.4:6443 --token §",
    "auth = \"§\"",
    "secret_id: §",
    "_CMDLINE=/usr/bin/x --secret § y",
    "wpa_psk=§",
    "level=info msg=login password=§ user=ada",
    "redis requirepass §",
];

/// Texts without a secret.
const HARMLESS: &[&str] = &[
    "http://proxy:3128 ssh://git@review.example.com:29418/kata",
    "https://proxy.golang.org/github.com/foo/@v/list git@github.com:a/b.git",
    "https://registry:5000/@scope/package",
    "CONFIG_KEYS=y\nCONFIG_TRUSTED_KEYRING=y\nCONFIG_CRYPTO_AUTHENC=m\n# CONFIG_SECRET is not set",
    "CONFIG_MODULE_SIG_KEY=\"certs/signing_key.pem\"\nCONFIG_SYSTEM_TRUSTED_KEYS=\"\"",
    "SSH_AUTH_SOCK=/tmp/ssh-x/agent.1\nPWD=/root/kata\nOLDPWD=/",
    "PasswordAuthentication yes",
    "--token-file=/etc/kata/token --tlskey /etc/docker/key.pem --key-file /etc/x.key",
    "\"tlskey\": \"/root/.docker/key.pem\", \"secretName\": \"kata-deploy\"",
    "author = \"Ada\" authentication = none",
    "error: invalid token: unexpected end of file",
    "password: required, the token bucket is empty",
    "max_tokens=100 passes=3 compass=north tokenizer=on",
    "token=$TOKEN password=${DB_PASSWORD} secret=",
    "tolerations: [{\"key\": \"node-role\", \"operator\": \"Exists\"}]",
    "kata-runtime[12]: level=error msg=\"fatal error: keyring of pid 7\"",
    "\"password\": null, \"token\": false, \"secret\": \"\"",
    "kubelet --authorization-mode=Webhook --anonymous-auth=false",
    "Basic support; bearer token authentication failed; WWW-Authenticate: Bearer realm=\"x\"",
    "8f3b1c0de9a44e1c8a2b7d1e0f5c6a9b8f3b1c0de9a44e1c8a2b7d1e0f5c6a9b",
    "public_key=AAAAB3NzaC1yc2E key_id=42 primary_key=id7x9a2",
    "iptables -A FORWARD -m comment --comment \"kubernetes key\"",
    "tty1 keyboard keymap=de monkey=banana",
    "tc qdisc add dev eth0 root tbf: token bucket filter, rate 1mbit",
    "Failed password for root from 1.2.3.4 port 22 ssh2",
    "imagePullSecrets: [{name: regcred}] secretKeyRef: {name: db, key: password}",
    "docker run -u 1000:1000 --user 0:0 busybox",
    "auth_type = \"none\" auth: false passthrough vfio device 0000:00:1f.2",
    "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
    "busybox@sha256:8f3b1c0de9a44e1c8a2b7d1e0f5c6a9b8f3b1c0de9a44e1c8a2b7d1e0f5c6a9b",
    "kvm_amd.sev=0 rootflags=data=ordered,errors=remount-ro ro",
];

/// Samples whose secret is a word of small letters, so that the name alone tells it.
const WORDS: &[&str] = &[
    "PASSWORD=§",
    "token: §",
    "client_secret: §",
    "accessToken: §",
    "X-Api-Key: §",
    "signing-key: §",
    "kata[7]: password: §",
    "tool --token § x",
    "\"auth\": \"§\"",
    "REGISTRY_AUTH=§",
    "Authorization: Bearer §",
    "http://§@proxy/",
    "SSHPASS=§ ssh",
    "AWS_SESSION_TOKEN=§",
];

#[test]
fn a_secret_that_looks_like_a_word_goes_by_its_name() {
    for sample in WORDS {
        let masked = mask(&sample.replace('§', "plantedword")).text;
        assert!(!masked.contains("plantedword"), "{sample}\n{masked}");
    }
}

/// A part may be one long line, which is no reason to take long.
#[test]
fn a_line_of_names_without_end_is_masked_soon() {
    let started = std::time::Instant::now();
    for piece in [
        "token: a ",
        "key=[",
        "auth=\"x ",
        "://",
        "password=\"",
        "-----BEGIN ",
        "token=a ",
    ] {
        let _ = mask(&piece.repeat((16 << 10) / piece.len()));
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(120));
}

#[test]
fn every_secret_goes_and_its_name_stays() {
    for sample in SECRETS {
        let text = sample.replace('§', S);
        let Masked {
            text: masked,
            count,
        } = mask(&text);
        assert!(!masked.contains(S) && count > 0, "{sample}\n{masked}");
        assert_eq!(mask(&masked).text, masked, "{sample}");
        assert_eq!(blank(&text).len(), text.len(), "{sample}");
        assert!(!blank(&text).contains(S), "{sample}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for sample in HARMLESS {
        assert_eq!(mask(sample).text, *sample);
    }
}

#[test]
fn what_stands_beside_a_secret_stays() {
    for (text, masked) in [
        ("http://ada:pw@proxy:3128/x", "http://***@proxy:3128/x"),
        ("a --token Abc123 --verbose", "a --token *** --verbose"),
        ("x?token=Abc123&user=ada", "x?token=***&user=ada"),
        ("Password=Abc123;Pooling=true", "Password=***;Pooling=true"),
        (
            "{\"token\":\"a\\\"b1\",\"n\":1}",
            "{\"token\":\"***\",\"n\":1}",
        ),
        ("token=Abc123 root=/dev/vda", "token=*** root=/dev/vda"),
        (
            "{\"auths\":{\"r\":{\"auth\":\"QWRhOng=\"}}}",
            "{\"auths\":{\"r\":{\"auth\":\"***\"}}}",
        ),
    ] {
        assert_eq!(mask(text).text, masked);
    }
}

const BODY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

#[test]
fn blocks_of_pem_are_found_whole_cut_and_in_a_log() {
    let begin = "-----BEGIN PRIVATE KEY-----";
    let end = "-----END PRIVATE KEY-----";
    for text in [
        format!("{begin}\n{BODY}\nshort==\n{end}\nnext words"),
        format!("{begin}\n{BODY}\n{BODY}"),
        format!("{BODY}\n{BODY}\n{end}\n"),
        format!("\"key\": \"{begin}\\n{BODY}\\n{BODY}\\n{end}\\n\""),
        format!(
            "Nov 1 h k[1]: {begin}\nNov 1 h k[1]: {BODY}\nNov 1 h d[2]: other\nNov 1 h k[1]: {BODY}\nNov 1 h k[1]: {end}\n"
        ),
        format!("  k: |\n    {begin}\n    Proc-Type: 4,ENCRYPTED\n\n    {BODY}\n    {end}\n"),
    ] {
        let masked = mask(&text).text;
        assert!(
            !masked.contains(BODY) && !masked.contains("MIIEv"),
            "{masked}"
        );
        assert_eq!(mask(&masked).text, masked);
    }
    let after = mask(&format!("{begin}\n{BODY}\n{end}\nnext words\n")).text;
    assert!(after.ends_with("next words\n"), "{after}");
}

#[test]
fn a_secret_of_one_text_is_masked_in_the_others() {
    let mut masker = Masker::default();
    let first = masker.mask("TOKEN=Abcdef-123456 PASSWORD=kubernetes");
    let other = masker.mask("seen Abcdef-123456 in kubernetes");
    assert_eq!(masker.mask_known(first.clone()), first);
    let other = masker.mask_known(other);
    assert_eq!(
        (other.text.as_str(), other.count),
        ("seen *** in kubernetes", 1)
    );
}

proptest! {
    #[test]
    fn any_text_is_masked_once_and_for_all(text in "(\\PC|\n| |=|:|\"|\\\\|token|password|http://|@|-----BEGIN |--|key|[{}\\[\\],']){0,60}") {
        let masked = mask(&text).text;
        prop_assert_eq!(blank(&text).len(), text.len());
        prop_assert!(!masked.contains('\0'));
    }
}
