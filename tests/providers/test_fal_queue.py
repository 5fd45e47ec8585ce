"""fal's queue: follow-up URLs that no reply names, and handles that were damaged on disk."""

import pytest

from kontext_cli.errors import JournalFault
from kontext_cli.providers.fal import Fal
from providers import fal


@pytest.mark.parametrize(
    ("endpoint", "app"),
    [
        ("fal-ai/flux-pro/kontext/max/multi", "fal-ai/flux-pro"),
        ("fal-ai/flux-kontext-lora", "fal-ai/flux-kontext-lora"),
        ("workflows/someone/thing", "workflows/someone/thing"),
        ("comfy/someone/thing/extra", "comfy/someone/thing"),
    ],
)
def test_follow_up_urls_drop_the_sub_path(endpoint: str, app: str) -> None:
    handle = Fal().handle(endpoint, "1")
    assert handle.data["status_url"] == f"https://queue.fal.run/{app}/requests/1/status"


@pytest.mark.parametrize("name", ["status_url", "response_url", "cancel_url"])
@pytest.mark.parametrize("url", [None, 7, {}])
def test_a_damaged_handle_makes_no_call(name: str, url: object) -> None:
    assert fal.TABLE.handle is not None
    damaged = fal.TABLE.handle.with_data(**{name: url})
    provider = Fal()
    calls = {
        "status_url": provider.poll,
        "response_url": provider.result,
        "cancel_url": provider.cancel,
    }
    with pytest.raises(JournalFault):
        calls[name](damaged)
