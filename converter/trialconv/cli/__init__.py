"""The command line. Each command has a module; all work is done by the library."""
