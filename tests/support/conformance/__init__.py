"""Every request that a test sends to the simulator, held against what the providers publish of their APIs."""
