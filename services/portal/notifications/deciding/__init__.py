"""What a person sends about how they want to be told, checked. Pure."""
