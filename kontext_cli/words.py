"""The words of the field, in the forms that people type and read them in."""


def flag(field: str) -> str:
    """How a field is typed: ``num_images`` is ``--num-images``, the prompt is itself."""
    return field if field == "prompt" else "--" + field.replace("_", "-")


def dollars(usd: float) -> str:
    """An amount in US dollars: four decimals at most, never fewer than two."""
    text = f"{usd:.4f}"
    return f"${text[:-2]}{text[-2:].rstrip('0')}"
