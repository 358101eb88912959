"""A registry record as CDISC ODM: one module per element family."""
