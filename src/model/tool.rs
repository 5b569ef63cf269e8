//! Knows how the programs that kata's scripts call are installed.

/// A program of Go that `go install` builds.
struct GoTool {
    name: &'static str,
    package: &'static str,
    version: &'static str,
}

/// The versions are the first that current releases of Go build.
const GO_TOOLS: &[GoTool] = &[
    GoTool {
        name: "xurls",
        package: "mvdan.cc/xurls/v2/cmd/xurls",
        version: "v2.2.0",
    },
    GoTool {
        name: "golangci-lint",
        package: "github.com/golangci/golangci-lint/cmd/golangci-lint",
        version: "v1.64.8",
    },
    GoTool {
        name: "dep",
        package: "github.com/golang/dep/cmd/dep",
        version: "v0.5.4",
    },
];

/// Returns the command that builds a program of Go into a directory; `None` for other programs.
/// Without a directory it goes to Go's own.
pub fn go_install(program: &str, directory: Option<&str>) -> Option<String> {
    let tool = GO_TOOLS.iter().find(|tool| tool.name == program)?;
    Some(go_install_of(tool.package, tool.version, directory))
}

/// `GO111MODULE=on` because v1's developers have it off, where `go install` takes no version.
fn go_install_of(package: &str, version: &str, directory: Option<&str>) -> String {
    let target = directory
        .and_then(|directory| shlex::try_quote(directory).ok())
        .map(|directory| format!("GOBIN={directory} "))
        .unwrap_or_default();
    format!("{target}GO111MODULE=on go install {package}@{version}")
}

/// Returns the command that installs a program that a job missed. A path says where to.
pub fn install(program: &str) -> Option<String> {
    let (directory, name) = match program.rsplit_once('/') {
        Some((directory, name)) => (Some(directory), name),
        None => (None, program),
    };
    match name {
        // kata's scripts call it by its path below GOPATH.
        "yq" => {
            let of = |package, version| go_install_of(package, version, directory);
            Some(format!(
                "for kata v1: {}; for the monorepo: {}",
                of("github.com/mikefarah/yq/v3", "v3.4.1"),
                of("github.com/mikefarah/yq/v4", "v4.44.5"),
            ))
        }
        name => go_install(name, directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_go_is_built_where_it_is_looked_for() {
        assert_eq!(
            install("xurls").unwrap(),
            "GO111MODULE=on go install mvdan.cc/xurls/v2/cmd/xurls@v2.2.0"
        );
        let yq = install("/my gopath/bin/yq").unwrap();
        assert!(yq.contains("GOBIN='/my gopath/bin' GO111MODULE=on go install"));
        assert!(yq.contains("/yq/v3@v3.4.1") && yq.contains("/yq/v4@"));
        assert_eq!(install("make"), None);
    }
}
