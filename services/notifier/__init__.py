"""Tells people of prompts that nobody looks at: a ledger of what was told, its appointments, and channels."""
