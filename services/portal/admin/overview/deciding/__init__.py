"""Pure: sums the figures of the overview, and lays out its charts."""
