"""Everything printed, drawn or read on the standard streams."""
