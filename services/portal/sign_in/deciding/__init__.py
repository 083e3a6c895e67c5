"""Pure: what an administrator's answer to a tenant-wide consent says, and what people copy off an error page."""
