"""What exists nowhere else: typed tables over the registry port, declared once a table."""
