"""What the CDISC targets have in common: the trial summary parameters, codelists, durations, characters."""
