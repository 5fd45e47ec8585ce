"""The peer: fal's own Python client, used as its documentation shows, and a download with httpx.

`official.py one QUEUE_URL PROMPT FORMAT FILE` makes one image,
`official.py many QUEUE_URL PROMPTS FOLDER IN_FLIGHT` one for each line of a file.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

# httpx loads its own command line wherever click is installed, as it is here for our sake. fal's
# client does not bring click along, so where it is installed for itself that cost does not exist.
sys.modules["click"] = None  # type: ignore[assignment]

import fal_client  # noqa: E402
import httpx  # noqa: E402

ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"


def one(prompt: str, output_format: str, file: Path) -> None:
    """Make one image, with the client's own interval between polls: 0.1 s."""
    made = fal_client.subscribe(ENDPOINT, arguments=_arguments(prompt, output_format))
    with httpx.stream("GET", made["images"][0]["url"]) as response, file.open("wb") as stream:
        response.raise_for_status()
        for piece in response.iter_bytes():
            stream.write(piece)


async def many(prompts: list[str], folder: Path, in_flight: int) -> None:
    """Make an image for each prompt, so many at a time."""
    client = fal_client.AsyncClient()
    gate = asyncio.Semaphore(in_flight)
    async with httpx.AsyncClient() as files:

        async def make(number: int, prompt: str) -> None:
            async with gate:
                made = await client.subscribe(ENDPOINT, arguments=_arguments(prompt, "jpeg"))
                response = await files.get(made["images"][0]["url"])
                response.raise_for_status()
                (folder / f"{number}.jpg").write_bytes(response.content)

        await asyncio.gather(*(make(number, prompt) for number, prompt in enumerate(prompts)))


def _arguments(prompt: str, output_format: str) -> dict[str, Any]:
    return {"prompt": prompt, "output_format": output_format, "aspect_ratio": "1:1", "seed": 7}


def main() -> None:
    """Point the client at another queue, and do what was asked for."""
    mode, queue_url, *rest = sys.argv[1:]
    fal_client.client.QUEUE_URL_FORMAT = f"{queue_url}/"
    if mode == "one":
        prompt, output_format, file = rest
        one(prompt, output_format, Path(file))
    else:
        prompts, folder, in_flight = rest
        lines = Path(prompts).read_text(encoding="utf-8").splitlines()
        asyncio.run(many(lines, Path(folder), int(in_flight)))


if __name__ == "__main__":
    main()
