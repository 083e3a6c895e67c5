"""The checks of `roomsync doctor`: one module a subject, each with a function that yields results."""

from cli.doctor.checks.check_result import CheckResult, CheckState

__all__ = ["CheckResult", "CheckState"]
