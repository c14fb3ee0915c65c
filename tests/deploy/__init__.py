"""What `deploy/` holds, tried without a container engine."""
