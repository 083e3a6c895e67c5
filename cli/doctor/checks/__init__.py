"""What `roomsync doctor` knows: one module a kind of trouble, each a generator of findings."""

from cli.doctor.checks.finding import Finding, State

__all__ = ["Finding", "State"]
