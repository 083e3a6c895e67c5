"""The pieces of `bench_end_to_end`: made-up calendars, the system under test, and another framework beside it."""
