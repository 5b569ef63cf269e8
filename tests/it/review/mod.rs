//! Stories of reviews against a real Gerrit.

mod client;
mod companions;
mod copied;
mod forwarder;
mod hostile;
mod labels;
mod lag;
mod newest_server;
mod patch_set;
mod race;
mod strangers;
mod votes;
mod watch;
mod workspaces;
