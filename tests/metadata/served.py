"""A provider whose images are files of the test."""

from typing import Any

from starlette.responses import Response

from world import World


def serve_images(world: World, data: bytes) -> bytes:
    """Let every image of a world's providers be this file, which is returned."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/files/"):
            await Response(data, media_type="image/png")(scope, receive, send)
        else:
            await world.app(scope, receive, send)

    world.answer(app)
    return data
