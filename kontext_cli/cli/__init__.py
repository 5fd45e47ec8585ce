"""The command line: signatures, flags and help."""
