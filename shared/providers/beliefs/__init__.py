"""What the product believes about its providers and cannot prove here: one table for people, for the probe and for tests."""
