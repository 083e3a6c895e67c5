"""The life of an organisation: switched on, its people appointed, switched off, and erased."""
