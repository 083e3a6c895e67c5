"""What became of the rooms: the administrators' report."""
