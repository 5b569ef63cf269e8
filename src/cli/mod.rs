//! The command line: arguments → a request, one file a command.
