"""The providers' push protocols as functions of bytes: no I/O, no clock, no store."""
