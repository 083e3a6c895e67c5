"""The administrators' meeting rooms: their information, their pairing, their health and their schedule."""
