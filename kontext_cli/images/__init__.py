"""Images as bytes: what they are, whether they are whole, and how they are made to fit."""
