"""A registry record as FHIR: one module per resource."""
