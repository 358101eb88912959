"""Readers: the bytes of a registry document in, records out. They do not see one another."""
