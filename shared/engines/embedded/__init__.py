"""The embedded engine: log and view in one SQLite file, registry and keyring in a second one."""

from shared.engines.embedded.engine import EmbeddedEngine, open_engine

__all__ = ["EmbeddedEngine", "open_engine"]
