"""What container images are made of: the Dockerfile, its locks, and the health check inside."""
