"""Whether it works, and who needs help: the administrators' first page."""
