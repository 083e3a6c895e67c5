"""Pure: what is to be done for a mailbox, when, and what a finished look writes."""
