"""The wire: HTTP, CDS Hooks and FHIR around the medicine of `cds`. This package may import `cds`; `cds` never imports it."""
