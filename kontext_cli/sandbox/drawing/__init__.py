"""The picture that the sandbox draws."""
