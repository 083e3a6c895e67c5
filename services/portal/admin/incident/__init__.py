"""Many rooms that said no at once: what administrators see of it, and how they end it."""
