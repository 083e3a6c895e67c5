"""Pure: checks that every form shares."""
