"""Settings > Integrations: switching the integration on and off, and its test."""
