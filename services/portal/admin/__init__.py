"""The administrators' pages: the integration, its test, and the people who may change it."""
