//! The monorepo kata-containers/kata-containers.

use std::path::{Path, PathBuf};

use super::fs::has_makefile;

/// Returns the root of the monorepo that the directory is in. It is recognised by files that all
/// its branches since 2.0 have.
pub(super) fn root(directory: &Path) -> Option<PathBuf> {
    directory
        .ancestors()
        .find(|root| {
            root.join("versions.yaml").is_file()
                && has_makefile(&root.join("src/agent"))
                && has_makefile(&root.join("src/runtime"))
        })
        .map(Path::to_owned)
}

/// Returns the name of the component that the directory is in: `src/NAME`, or `src/tools/NAME`.
pub(super) fn standing_in(directory: &Path, root: &Path) -> Option<String> {
    let below = directory.strip_prefix(root).ok()?;
    let name = below
        .strip_prefix("src/tools")
        .or_else(|_| below.strip_prefix("src"))
        .ok()?
        .iter()
        .next()?;
    let component = ["src/tools", "src"]
        .map(|parent| root.join(parent).join(name))
        .into_iter()
        .find(|component| directory.starts_with(component))?;
    has_makefile(&component).then(|| name.to_string_lossy().into_owned())
}
