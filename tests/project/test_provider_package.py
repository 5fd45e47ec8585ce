"""The example of a package that adds a provider: installed, tested and used as its page says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kontext_cli.providers import interface
from packages import EXAMPLE
from processes import MACHINE, environment
from world import World

PAGE = EXAMPLE.parents[1] / "docs" / "how-to" / "providers.md"


@pytest.mark.skipif(shutil.which("bash") is None, reason="the page is for a POSIX shell")
def test_the_page_is_one_session_in_a_shell(world: World, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, world.folder / "examples" / EXAMPLE.name)
    site = str(tmp_path / "site")
    installer = {
        "PIP_TARGET": site,
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_COMPILE": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # which pip reads as no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{MACHINE['PATH']}"
    [script] = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=world.folder,
        env=environment({**world.environ, **installer, "PATH": path, "PYTHONPATH": site}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "key: LUMEN_API_KEY" in done.stdout
    image = world.folder / "examples" / EXAMPLE.name / "lighthouse.png"
    assert image.read_bytes().startswith(b"\x89PNG")
    [job] = world.kept()
    assert (job.provider, job.package) == ("lumen", "kontext-lumen")
    assert world.run("status").code == 0
    assert "package kontext-lumen, which is not installed" in world.run("cancel", job.id).err


def test_the_page_names_what_is_public() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("Provider", "StatusQueue", "Queue", "Storage", "Moderated", "failure"):
        assert f"`{name}`" in text
        assert name in interface.__all__
    version = ", ".join(map(str, interface.VERSION))
    assert f"`interface = ({version})`" in text
