"""How roomsync is put on machines."""
