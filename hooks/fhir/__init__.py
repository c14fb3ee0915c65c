"""FHIR as hospitals really send it, turned into a chart; and actions turned into FHIR."""
