"""Pure: which acts of the audit are shown."""
