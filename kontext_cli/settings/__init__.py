"""Flags, environment, configuration and stored keys, as one set of settings."""
