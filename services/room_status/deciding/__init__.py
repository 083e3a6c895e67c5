"""Pure: an observation and the memory of a meeting in, states and declines out."""
