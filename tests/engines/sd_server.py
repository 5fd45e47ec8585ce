"""A real sd-server, built from stable-diffusion.cpp's source, and random weights for it to load.

    cd tests && python -m engines.sd_server

builds it with cmake and a C++ compiler, in 4 minutes on two idle cores, and keeps it in the user's
cache folder, by its version. `make engines` does so where KONTEXT_BUILD_ENGINES is set; without it
the tests are skipped by name.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from processes import environment

VERSION = "0.4.7"
"""Of the Python package whose source archive has stable-diffusion.cpp in it."""
SHA256 = "998d1957260dd5ae4e18a8acc0c14b0a8757aaa9f96515197b6d5bbf46df9282"
"""Of that archive."""
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
FOLDER = _CACHE / "kontext-engines" / f"sd-server-{VERSION}"
PROGRAM = FOLDER / "sd-server"
WEIGHTS = FOLDER / "random.safetensors"
_FLAGS = ("-DCMAKE_BUILD_TYPE=Release", "-DSD_BUILD_EXAMPLES=ON", "-DSD_WEBP=OFF", "-DSD_WEBM=OFF")


def main() -> None:
    """Build what is not there yet."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not PROGRAM.exists():
        with TemporaryDirectory(dir=FOLDER) as folder:
            _build(Path(folder)).replace(PROGRAM)
    if not WEIGHTS.exists():
        from engines.random_weights import write

        part = WEIGHTS.with_suffix(".part")
        write(part)
        part.replace(WEIGHTS)


def _build(folder: Path) -> Path:
    """The program, built in a folder."""
    if shutil.which("cmake") is None:
        sys.exit("cmake is needed to build sd-server, and a C++ compiler")
    name = f"stable-diffusion-cpp-python=={VERSION}"
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:")
    subprocess.run([*pip, "--dest", str(folder), name], check=True, env=environment())
    (archive,) = folder.glob("*.tar.gz")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        sys.exit(f"{archive.name} is not the archive that was tested")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (source,) = folder.glob("*/vendor/stable-diffusion.cpp")
    built = folder / "build"
    jobs = str(os.cpu_count() or 1)
    subprocess.run(
        ["cmake", "-S", str(source), "-B", str(built), *_FLAGS], check=True, env=environment()
    )
    command = ("cmake", "--build", str(built), "--target", "sd-server", "--parallel", jobs)
    subprocess.run(command, check=True, env=environment())
    return built / "bin" / "sd-server"


if __name__ == "__main__":
    main()
