"""Pure: which deliveries wait, which is next, and what an attempt changes."""
