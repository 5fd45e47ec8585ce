"""Images as bytes: formats, checks, decoding, and resizing of inputs."""
