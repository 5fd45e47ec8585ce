"""Object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

A name is taken by a conditional put, so that no object is replaced by chance. The library is
imported here alone, and reads credentials and endpoints from the environment as the clouds' own
programs do.
"""

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kontext_cli.errors import OutputFault, UsageError
from kontext_cli.files.destination import Part, Stamp
from kontext_cli.files.disk import names_like
from kontext_cli.files.place import ObjectPath
from kontext_cli.images.reading import NotAnImage

_INSTALL = (
    'install what writes there: `pip install "kontext-cli[cloud]"`, '
    'or `uv tool install "kontext-cli[cloud]"`'
)
_PROFILE = 'eval "$(aws configure export-credentials --format env)"'
_RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_CONNECT_SECONDS, _SECONDS = "5s", "120s"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_TYPES[".json"] = "application/json"
_OWN_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_HINTS = {
    "s3": f"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; where there is a profile: {_PROFILE}",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_NO_CREDENTIALS = (
    "169.254.169.254",
    "/latest/api/token",
    "/latest/meta-data",
    "/computeMetadata/",
    "Account must be specified",
    "Missing AccessKeyId",
    "Missing SecretAccessKey",
)
"""In errors of services that only machines in a cloud have, which are asked last."""
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist")
_UNUSED = ".kontext-unused"
"""The name of no object: to replace it fails, but only for those who may write."""
_OF_NONE = {"e_tag": '"0"', "version": "1"}
"""What no object is, by its etag and, at Google, by its generation; generation 0 is a free name."""


def store_of(name: str) -> "Store":
    """The store of an object or a prefix; one for each bucket."""
    return _bucket(ObjectPath(name).root_url)


@cache
def _bucket(url: str) -> "Store":
    return Store(url, os.environ)


class Store:
    """One bucket or container."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        """Raises UsageError if the library is missing or refuses a setting."""
        try:
            import obstore
            from obstore import exceptions
            from obstore.store import from_url
        except ImportError:
            what = f"`{url}` needs a library that is not installed"
            raise UsageError(what, hint=_INSTALL) from None
        self.url = url
        self._is_proven = False
        self._calls: Any = obstore
        self._faults: Any = exceptions
        open_store: Any = from_url
        settings = _settings(url, environ)
        with self._reported("open"):
            self._store: Any = open_store(url, retry_config=_RETRIES, **settings)

    def prove(self, folder: Path) -> None:
        """Check that the bucket is there, and that we may write to it; writes nothing."""
        if self._is_proven:
            return
        name = _key(folder / _UNUSED)
        with self._reported("write to"):
            next(iter(self._calls.list(self._store, _key(folder), chunk_size=1)), None)
            try:
                self._calls.put(self._store, name, b"", mode=_OF_NONE, use_multipart=False)
            except (FileNotFoundError, self._faults.PreconditionError):
                self._is_proven = True
                return
        with suppress(FileNotFoundError, OutputFault):
            self.remove(folder / _UNUSED)
        raise OutputFault(
            f"cannot write to `{self.url}`: it does not know conditional writes, without which "
            "images could replace each other",
            hint="update the server",
        )

    def exists(self, name: str) -> bool:
        return self.stamp(name) is not None

    def names(self, folder: str) -> Iterable[str] | None:
        return self.stamps(folder)

    def stamps(self, folder: str) -> Mapping[str, Stamp]:
        with self._reported("list"):
            found = self._calls.list_with_delimiter(self._store, _key(folder))
        return {each["path"].rpartition("/")[2]: _stamp(each) for each in found["objects"]}

    def stamp(self, name: str | Path) -> Stamp | None:
        with self._reported("read"):
            try:
                return _stamp(self._calls.head(self._store, _key(name)))
            except FileNotFoundError:
                return None

    def read(self, path: Path, *, most: int) -> bytes:
        with self._reported("read", FileNotFoundError, name=str(path)):
            try:
                found = self._calls.get(self._store, _key(path))
            except FileNotFoundError as error:
                if _is_of_bucket(error):
                    raise
                raise FileNotFoundError(errno.ENOENT, "there is no such object") from None
            if found.meta["size"] > most:
                raise NotAnImage(f"larger than {most // 2**20} MiB")
            return bytes(found.bytes())

    def publish(
        self, part: Part, target: Path, *, overwrite: bool, replaces: Stamp | None = None
    ) -> tuple[Path, Stamp]:
        content = part.content()
        if overwrite:
            return target, self._put(target, content, "overwrite")
        if replaces is not None:
            changed = FileNotFoundError, self._faults.PreconditionError
            mode = {"e_tag": replaces.etag, "version": replaces.version}
            mode = {name: value for name, value in mode.items() if value}
            with suppress(*changed):  # somebody was faster: as if it had never been ours
                return target, self._put(target, content, mode, *changed)
        taken = self._faults.AlreadyExistsError
        for name in names_like(target):
            try:
                return name, self._put(name, content, "create", taken)
            except taken:
                if (there := self._same(name, content)) is not None:
                    return name, there  # by a put whose answer was lost
        raise AssertionError("unreachable")

    def remove(self, path: Path) -> None:
        with self._reported("remove from", FileNotFoundError):
            self._calls.delete(self._store, _key(path))

    def _put(self, path: Path, content: bytes, mode: object, *passing: type[Exception]) -> Stamp:
        kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        with self._reported("write to", *passing):
            done = self._calls.put(
                self._store,
                _key(path),
                content,
                attributes={"Content-Type": kind},
                mode=mode,
                use_multipart=False,
            )
        return _stamp({**done, "size": len(content)})

    def _same(self, path: Path, content: bytes) -> Stamp | None:
        """The stamp of an object if it has this very content."""
        found = self.stamp(path)
        if found is None or found.size != len(content):
            return None
        there = self.read(path, most=len(content))
        return found if hashlib.sha256(there).digest() == hashlib.sha256(content).digest() else None

    @contextmanager
    def _reported(
        self, what: str, *passing: type[Exception], name: str | None = None
    ) -> Iterator[None]:
        """Raise errors of the library as OutputFault, without what a server says: that may quote
        credentials. Those ``passing`` are for the caller, unless the bucket is missing."""
        try:
            yield
        except (FileNotFoundError, self._faults.BaseError) as error:
            if isinstance(error, passing) and not _is_of_bucket(error):
                raise
            reason, hint = _explained(self.url, error)
            fault = OutputFault(f"cannot {what} `{name or self.url}`: {reason}", hint=hint)
            raise fault from None


def _is_of_bucket(error: Exception) -> bool:
    """Whether it is the bucket that is missing."""
    return any(sign in str(error) for sign in _NO_BUCKET)


def _key(name: str | Path) -> str:
    path = name if isinstance(name, ObjectPath) else ObjectPath(name)
    return path.key


def _stamp(found: Mapping[str, Any]) -> Stamp:
    return Stamp(found["size"], etag=found["e_tag"] or "", version=found["version"] or "")


def _settings(url: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the library does not read itself. Raises UsageError."""
    client: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "timeout": _SECONDS}
    settings: dict[str, Any] = {"client_options": client}
    if not url.startswith("s3://"):
        return settings
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or ""
    parts = urlsplit(endpoint)
    is_here = parts.hostname in _LOOPBACK
    has_own = any(map(environ.get, _OWN_CREDENTIALS))
    if endpoint:
        settings["endpoint"] = endpoint
    if parts.scheme == "http":
        if not is_here and environ.get("AWS_ALLOW_HTTP", "").lower() not in ("1", "true"):
            raise UsageError(
                "AWS_ENDPOINT_URL is not encrypted: it begins with `http:`",
                hint="use `https:`, or set AWS_ALLOW_HTTP=true",
            )
        client["allow_http"] = True
    if is_here and not has_own and not environ.get("AWS_PROFILE"):
        settings.update(access_key_id="test", secret_access_key="test")  # noqa: S106
    elif not has_own and (provider := _boto3_credentials()) is not None:
        settings["credential_provider"] = provider
    return settings


def _boto3_credentials() -> object:
    """Credentials of profiles and single sign-on, which boto3 reads if it is installed."""
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return Boto3CredentialProvider()
    except Exception:  # not installed, or nothing is configured
        return None


def _explained(url: str, error: Exception) -> tuple[str, str | None]:
    """The reason of an error and what to do, from the words of the library alone."""
    text, kind = str(error), type(error).__name__
    found = _CODE.search(text)
    code = found[1] if found else ""
    if _is_of_bucket(error) or "404 Not Found" in text:
        return "there is no such bucket", "create it, or correct the name"
    if kind == "InvalidPathError":
        return "one of its objects has a name that cannot be read, as with `//`", "use a prefix"
    if any(sign in text for sign in _NO_CREDENTIALS):
        return "there are no credentials for it", _HINTS[url.partition(":")[0]]
    if kind in ("PermissionDeniedError", "UnauthenticatedError") or "403 Forbidden" in text:
        detail = f" ({code})" if code else ""
        return f"the credentials were refused{detail}", _HINTS[url.partition(":")[0]]
    if "301 Moved" in text or "redirect" in text or code == "PermanentRedirect":
        return "the bucket is in another region", "set AWS_REGION to that of the bucket"
    if "HTTP error" in text or "timed out" in text:
        return "it could not be reached", "check the network, and AWS_ENDPOINT_URL if it is set"
    return f"it answered {code}" if code else "it answered with an error", None
