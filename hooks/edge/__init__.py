"""What stands between callers and the service: gateways, browsers, and how often somebody may call. All is off by default."""
