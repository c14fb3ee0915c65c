"""The integrator's kit: commands that act as a client, build, check, record and compare calls of CDS services."""
