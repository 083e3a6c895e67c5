"""Pure: the state of one test run, the room it books, its troubles and how they are shown."""
