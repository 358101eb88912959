"""The ledger: a record beside its documents, line by line, with what links them and what was not placed."""
