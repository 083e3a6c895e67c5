"""The embedded engine: log and view in one SQLite file, registry and keyring in a second one."""
