"""What images carry, as exiftool reads it; and signatures that hold, as c2pa-python sees it."""

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kontext_cli.metadata.layout import chunk
from metadata.encoded import pixels
from metadata.served import serve_images
from processes import environment
from world import World

PROMPTS = [
    "a red fox",
    "лиса в снегу ❄ 狐 🦊 नमस्ते",
    'two\nlines & <tags> "quoted" ]]> \\u00e9',
    "Ж❄𝕏 a line & <b>" * 1900,
]
CREATED = {
    "label": "c2pa.actions.v2",
    "data": {
        "actions": [
            {
                "action": "c2pa.created",
                "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/"
                "trainedAlgorithmicMedia",
            }
        ]
    },
}
needs_exiftool = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="needs exiftool (libimage-exiftool-perl)"
)


def told(path: Path) -> dict[str, Any]:
    """What exiftool says of a file, which it finds no fault with."""
    argv = ["exiftool", "-j", "-struct", "-a", "-G1", "-warning", "-all", "-b", str(path)]
    done = subprocess.run(argv, capture_output=True, check=True, env=environment())
    [found] = json.loads(done.stdout)
    assert "ExifTool:Warning" not in found
    return dict(found)


@needs_exiftool
@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("prompt", PROMPTS, ids=len)
def test_exiftool_reads_every_field(world: World, suffix: str, prompt: str) -> None:
    argv = ("-p", "sandbox", "--seed", "7", "-o", f"x.{suffix}", "--metadata", "full")
    assert world.run("generate", "-", *argv, stdin=prompt.encode()).code == 0
    found = told(world.folder / f"x.{suffix}")
    record = json.loads(found["PNG:Kontext" if suffix == "png" else "XMP-kontext:Record"])
    text = found["PNG:Parameters"] if suffix == "png" else found.get("ExifIFD:UserComment")
    assert found["XMP-iptcExt:DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert found["XMP-iptcExt:AISystemUsed"] == "kontext-pro (sandbox)"
    assert found["XMP-iptcExt:AIPromptInformation"] == prompt
    assert found["XMP-xmp:CreatorTool"].startswith("kontext ")
    assert (record["prompt"], record["seed"]) == (prompt, 7)
    if text is None:
        assert len(prompt.encode("utf-16-be")) > 65_000
    else:
        assert text.startswith(f"{prompt}\nSeed: 7, Size: 1024x1024, Model: kontext-pro, Version: ")
    if suffix == "jpg" and len(prompt) < 1000:
        assert found["IFD0:ImageDescription"] == prompt
        assert found["IFD0:Software"].startswith("kontext ")


@needs_exiftool
def test_exiftool_copies_them_on(world: World) -> None:
    """Tools that edit what a file carries find it well formed."""
    argv = ("-p", "sandbox", "-o", "x.jpg", "--metadata", "full", "-q")
    assert world.run("generate", "a fox", *argv).code == 0
    before = (world.folder / "x.jpg").read_bytes()
    command = ["exiftool", "-q", "-XMP-dc:Title=more", str(world.folder / "x.jpg")]
    subprocess.run(command, check=True, env=environment())
    found = told(world.folder / "x.jpg")
    assert found["XMP-dc:Title"] == "more"
    assert json.loads(found["XMP-kontext:Record"])["prompt"] == "a fox"
    assert pixels((world.folder / "x.jpg").read_bytes()) == pixels(before)


def certificate(folder: Path) -> tuple[bytes, bytes]:
    """A chain of a test certificate, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")

    def openssl(*argv: str) -> None:
        subprocess.run(
            ["openssl", *argv], cwd=folder, env=environment(), check=True, capture_output=True
        )

    (folder / "leaf.cnf").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=emailProtection\nsubjectKeyIdentifier=hash\n"
        "authorityKeyIdentifier=keyid\n"
    )
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    ca = ("-addext", "keyUsage=critical,keyCertSign", "-days", "2")
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/O=T/CN=CA", *ca
    )
    openssl("req", *curve, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/O=T/CN=Signer")
    by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1")
    openssl("x509", "-req", "-in", "leaf.csr", *by, "-extfile", "leaf.cnf", "-out", "leaf.pem")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", "leaf.key", "-out", "leaf.p8")
    chain = (folder / "leaf.pem").read_bytes() + (folder / "ca.pem").read_bytes()
    return chain, (folder / "leaf.p8").read_bytes()


class Signer:
    """Signs images with a test certificate, and verifies them."""

    def __init__(self, c2pa: Any, folder: Path) -> None:
        self._c2pa = c2pa
        self._chain, self._key = certificate(folder)

    def sign(self, data: bytes, kind: str) -> bytes:
        info = self._c2pa.C2paSignerInfo(b"es256", self._chain, self._key, None)
        out = io.BytesIO()
        claim = {"claim_generator_info": [{"name": "test"}], "title": "x", "assertions": [CREATED]}
        builder = self._c2pa.Builder(json.dumps(claim))
        builder.sign(self._c2pa.Signer.from_info(info), kind, io.BytesIO(data), out)
        return out.getvalue()

    def faults(self, data: bytes, kind: str) -> set[str]:
        """The codes of what is wrong with a signed file, but for who signed it."""
        found = json.loads(self._c2pa.Reader(kind, io.BytesIO(data)).json())
        codes = {each["code"] for each in found.get("validation_status", [])}
        return codes - {"signingCredential.untrusted"}


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(pytest.importorskip("c2pa"), tmp_path)


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_what_a_provider_signed_stays_signed(world: World, signer: Signer, kind: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 40).convert("RGB").save(out, kind)
    data = signer.sign(out.getvalue(), f"image/{kind}")
    assert signer.faults(data, f"image/{kind}") == set()
    serve_images(world, data)
    for metadata in ("mark", "full"):
        argv = ("-p", "fal", "-d", metadata, "--output-format", kind, "--metadata", metadata)
        done = world.run("generate", f"a fox, {metadata}", *argv, "--name", "x")
        assert done.code == 0, done.err
        assert "C2PA" in done.err
        suffix = "jpg" if kind == "jpeg" else kind
        saved = (world.folder / metadata / f"x.{suffix}").read_bytes()
        assert saved == data
        assert signer.faults(saved, f"image/{kind}") == set()
        assert (world.folder / metadata / f"x.{suffix}.json").exists() == (metadata == "full")


def test_a_single_text_would_break_a_signature(signer: Signer) -> None:
    out = io.BytesIO()
    Image.effect_noise((300, 200), 40).save(out, "png")
    data = signer.sign(out.getvalue(), "image/png")
    changed = data[:33] + chunk(b"iTXt", b"Title\0\0\0\0\0x") + data[33:]
    assert signer.faults(changed, "image/png")
