"""The emulated providers, to try and test everything without a key."""
