"""Pages about the service itself: what its words mean, whom to ask, what is kept, and on which terms."""
