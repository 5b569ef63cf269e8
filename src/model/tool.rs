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
];

/// Returns the command that builds a program of Go into a directory; `None` for other programs.
/// Without a directory it goes to Go's own.
pub fn go_install(program: &str, directory: Option<&str>) -> Option<String> {
    let tool = GO_TOOLS.iter().find(|tool| tool.name == program)?;
    Some(go_install_of(tool.package, tool.version, directory))
}

/// `GO111MODULE=on` because v1's developers have it off, where `go install` takes no version.
fn go_install_of(package: &str, version: &str, directory: Option<&str>) -> String {
    let target = (directory.and_then(bin)).map_or_else(String::new, |bin| format!("{bin} "));
    format!("{target}GO111MODULE=on go install {package}@{version}")
}

/// Returns the assignment that has Go build into a directory.
fn bin(directory: &str) -> Option<String> {
    let quoted = shlex::try_quote(directory).ok()?;
    Some(format!("GOBIN={quoted}"))
}

/// Builds dep into a directory, or into that of Go's programs. It is a program from before modules:
/// only a clone has the vendored code that it was released with.
fn dep(directory: Option<&str>) -> String {
    const PACKAGE: &str = "github.com/golang/dep";
    let bin = (directory.and_then(bin)).unwrap_or_else(|| "GOBIN=$(go env GOPATH)/bin".to_owned());
    format!(
        "{bin}; d=$(mktemp -d) && git clone -q --depth 1 -b v0.5.4 https://{PACKAGE} \"$d/src/{PACKAGE}\" && \
         GOBIN=\"$GOBIN\" GOPATH=\"$d\" GO111MODULE=off go install {PACKAGE}/cmd/dep"
    )
}

/// Builds the yq that v1's scripts call. Its releases have no tags that Go takes for versions.
fn yq_of_v1(directory: Option<&str>) -> String {
    let target = (directory.and_then(bin)).map_or_else(String::new, |bin| format!("{bin} "));
    format!(
        "d=$(mktemp -d) && git clone -q --depth 1 -b 3.4.1 https://github.com/mikefarah/yq \"$d\" && \
         (cd \"$d\" && {target}GO111MODULE=on go install .)"
    )
}

/// Returns the command that installs a program that a job missed. A path says where to.
pub fn install(program: &str) -> Option<String> {
    let (directory, name) = match program.rsplit_once('/') {
        Some((directory, name)) => (Some(directory), name),
        None => (None, program),
    };
    match name {
        "dep" => Some(dep(directory)),
        // kata's scripts call it by its path below GOPATH.
        "yq" => Some(format!(
            "for kata v1: {}; for the monorepo: {}",
            yq_of_v1(directory),
            go_install_of("github.com/mikefarah/yq/v4", "v4.44.5", directory),
        )),
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
        assert!(yq.contains("-b 3.4.1 ") && yq.contains("/yq/v4@"));
        let dep = install("/my gopath/bin/dep").unwrap();
        assert!(dep.starts_with("GOBIN='/my gopath/bin'; "), "{dep}");
        assert_eq!(install("make"), None);
    }
}
