"""Pure: checks whom people may ask, as an administrator enters it."""
