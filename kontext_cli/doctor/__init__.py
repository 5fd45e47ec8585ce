"""The checks of `kontext doctor`: small functions that return findings as data."""
