"""The image that the sandbox draws."""
