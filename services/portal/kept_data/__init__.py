"""What is kept about a person, shown to that person: by kind, counted, and the rows themselves where they can be read."""
