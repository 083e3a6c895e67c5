"""What several commands share: an opened engine, reading records, connected mailboxes, service addresses."""
