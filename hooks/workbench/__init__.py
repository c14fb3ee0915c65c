"""The workbench: a page for those who connect, test or doubt the service. For development, on the machine it runs on, off by default."""
