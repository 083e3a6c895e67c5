"""Pure: which kinds of records name a person, and how a row is shown to whom it is about."""
