"""The workbench: a page to try the service on, for those who connect, test or doubt it. For development, and off by default."""
