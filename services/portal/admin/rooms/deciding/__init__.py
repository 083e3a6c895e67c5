"""Pure: checks an administrator's form, and judges a room's health by its answers."""
