"""What stands on topics and in the registry: additive, versioned, msgspec structs. No I/O."""
