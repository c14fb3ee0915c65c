"""The interface as an OpenAPI document, derived from what runs."""
