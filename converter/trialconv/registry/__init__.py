"""The registry's public API: calls, pages, ids."""
