"""Everything that is printed, drawn or read on the standard streams."""
