"""Pure: the words for where a connection stands."""
