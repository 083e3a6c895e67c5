"""Pure: which language and manner of writing times somebody gets, and what sentences and times look like in it."""
