"""The knowledge: how a registry record becomes each target, and the code tables for it."""
