"""Work that belongs to organisations, not to one mailbox: endings, keys, sleep, lost commands."""
