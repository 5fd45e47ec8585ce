"""One job, from its plan to its files."""
