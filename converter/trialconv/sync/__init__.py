"""Keeping a warehouse current with the registry."""
