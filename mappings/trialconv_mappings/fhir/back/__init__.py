"""The way back: from a Bundle to the registry's record, module by module beside the mappings that made it."""
