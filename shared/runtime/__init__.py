"""What every process needs to run: settings, clock, logs, metrics, health, claims and the loop."""
