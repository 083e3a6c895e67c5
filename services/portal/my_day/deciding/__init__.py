"""Pure: agenda, month, time zones, and the booking form."""
