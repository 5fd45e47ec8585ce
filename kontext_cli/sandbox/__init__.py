"""The emulated providers, for trying and testing without a key, and the pictures they draw."""
