"""Pure: checks who is to administer, as somebody enters it."""
