"""Validators: a document in, Issues out."""
