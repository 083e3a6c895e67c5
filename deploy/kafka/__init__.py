"""Who may do what on the brokers, derived from the table of topics."""
