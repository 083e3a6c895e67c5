"""What a person is told when. Pure."""
