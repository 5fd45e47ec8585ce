"""The words of the field, in the forms that people type them in."""


def flag(field: str) -> str:
    """How a field is typed: ``num_images`` is ``--num-images``, the prompt is itself."""
    return field if field == "prompt" else "--" + field.replace("_", "-")
