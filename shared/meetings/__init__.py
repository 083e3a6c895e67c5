"""What follows for a person from the state of a meeting: pure, and the same for every service that asks."""
