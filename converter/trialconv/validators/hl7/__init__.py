"""HL7's own FHIR validator, a Java program, as a judge: where it is, and how it is asked."""
