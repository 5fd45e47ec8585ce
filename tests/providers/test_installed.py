"""Providers of installed packages: found, refused, and broken in every way; none harms another."""

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.providers import every_name, is_known, provider_class
from packages import EXAMPLE, LUMEN, Packages, packages_in
from samples import image_file
from world import World

KEY = "acme-key-0123456789"


class Service:
    """The server of the example on this machine; the keys and the paths that it was sent."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("lumen_server", EXAMPLE / "lumen_server.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.jobs: dict[str, list[int]] = {}
        self.seen: list[tuple[str, str | None]] = []
        service = self

        class Handler(module.Lumen):  # type: ignore[name-defined, misc]
            jobs = service.jobs
            numbers = count(1)

            def send(self, *answer: Any) -> None:
                service.seen.append((f"{self.command} {self.path}", self.headers["Authorization"]))
                super().send(*answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def packages(tmp_path: Path) -> Iterator[Packages]:
    with packages_in(tmp_path / "site") as packages:
        yield packages


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def acme(world: World, packages: Packages, service: Service) -> World:
    """The provider of a package, its server, and its key."""
    packages.acme()
    world.set(KONTEXT_ACME_BASE_URL=service.url, ACME_API_KEY=KEY)
    return world


OF_KONTEXT = (
    "default_model = 'kontext-pro'",
    "endpoints = (Endpoint('a', 'kontext-pro', 'generate', (Option('prompt'),)),)",
)
"""With a model that others have, too."""


class TestOneThatWorks:
    def test_it_is_used_as_any_other(self, acme: World, service: Service) -> None:
        done = acme.run("generate", "x", "-p", "acme", "--seed", "7", "-o", "x.png", "--json")
        assert (done.code, acme.files()) == (0, ["x.png"])
        [record] = done.records
        assert (record["provider"], record["model"], record["seed"]) == ("acme", "lumen-2", 7)
        assert record["cost"] == {"usd": 0.03, "source": "estimate"}
        with_key = [path for path, key in service.seen if key == f"Bearer {KEY}"]
        assert with_key == ["POST /v1/images", *["GET /v1/images/lu-1"] * (len(with_key) - 1)]
        assert [path for path, key in service.seen if key is None] == ["GET /files/lu-1.png"]

    def test_edits_and_batches(self, acme: World, service: Service) -> None:
        acme.write("a.png", image_file("png", (64, 64)))
        edited = acme.run("edit", "x", "-i", "a.png", "-p", "acme", "-o", "b.png")
        assert edited.code == 0
        acme.write("rows.jsonl", [{"prompt": "one"}, {"prompt": "two", "provider": "acme"}])
        assert acme.batch("rows.jsonl", "-p", "acme", "--lock").code == 0
        assert acme.batch("rows.jsonl", "-p", "acme").code == 0  # nothing is made again
        assert len(service.jobs) == 3
        assert acme.run("check", "rows.jsonl").code == 0

    def test_it_is_set_in_the_config_or_the_environment(
        self, acme: World, service: Service
    ) -> None:
        acme.unset("KONTEXT_ACME_BASE_URL")
        acme.configure(
            f'provider = "acme"\n[providers.acme]\nbase_url = "{service.url}"\njobs = 1\n'
            "[prices.acme]\nlumen-2 = 0.5\n"
        )
        assert acme.run("generate", "x", "--json").records[0]["cost"]["usd"] == 0.5
        acme.configure("")
        acme.set(KONTEXT_PROVIDER="acme", KONTEXT_ACME_BASE_URL=service.url)
        assert acme.run("generate", "y", "--json").records[0]["provider"] == "acme"

    def test_it_is_one_of_several(self, acme: World, packages: Packages) -> None:
        packages.acme(*OF_KONTEXT)
        acme.without_keys("fal")
        done = acme.run("generate", "x", "-p", "fal,acme", "--json")
        assert done.records[0]["provider"] == "acme"

    def test_its_key_is_stored(self, acme: World, packages: Packages, service: Service) -> None:
        acme.unset("ACME_API_KEY")
        refused = acme.run("generate", "x", "-p", "acme")
        assert refused.code == 3
        assert "set ACME_API_KEY, or store one with `kontext auth set acme`" in refused.err
        assert acme.run("auth", "set", "acme", stdin=KEY.encode()).code == 0
        assert acme.run("generate", "x", "-p", "acme").code == 0
        assert service.seen[0][1] == f"Bearer {KEY}"
        assert "ends in 6789" in acme.run("auth", "status").out.decode()
        packages.remove()
        assert "not usable: there is no provider `acme`" in acme.run("auth", "status").out.decode()
        assert acme.run("generate", "x", "-p", "fal", "--dry-run").code == 0
        assert acme.run("auth", "remove", "acme").code == 0
        unknown = acme.run("auth", "remove", KEY)
        assert (unknown.code, KEY in unknown.err) == (2, False)

    def test_its_key_is_printed_by_a_command(self, acme: World, service: Service) -> None:
        acme.unset("ACME_API_KEY")
        command = [sys.executable, "-c", f"print('{KEY}')"]
        acme.configure(f"[providers.acme]\nkey_command = {json.dumps(command)}\n")
        assert acme.run("generate", "x", "-p", "acme").code == 0
        assert service.seen[0][1] == f"Bearer {KEY}"

    def test_its_models_are_listed_when_it_is_named(self, acme: World) -> None:
        assert "lumen-2" in acme.run("models", "-p", "acme").out.decode()
        assert "lumen-2" not in acme.run("models").out.decode()
        assert "did you mean `acme`?" in acme.run("models", "-p", "acmee").err

    def test_a_job_is_fetched_by_its_request_id(self, acme: World, service: Service) -> None:
        service.jobs["lu-9"] = [3, 0]
        done = acme.run("fetch", "lu-9", "-p", "acme", "-o", "x.png")
        assert (done.code, acme.files()) == (0, ["x.png"])


class TestOneThatIsGone:
    def test_its_jobs_name_the_package(self, acme: World, packages: Packages) -> None:
        job, fal = acme.run("generate", "x", "-p", "acme", "--no-wait").lines[0], acme.submit()
        packages.remove()
        missing = f"the provider acme of job {job} is added by the package kontext-acme"
        assert "acme" in acme.run("status").out.decode()
        for command in ("status", "fetch", "cancel"):
            done = acme.run(command, job)
            assert missing in done.err
            assert "Traceback" not in done.err
        assert acme.run("fetch").code != 0
        assert acme.run("status", fal).code == 0  # which was fetched
        packages.acme()
        assert acme.run("fetch", job).code == 0

    def test_everything_that_needs_no_provider_works(self, acme: World, packages: Packages) -> None:
        acme.run("generate", "x", "-p", "acme", "-o", "x.png", "--metadata", "full")
        packages.remove()
        assert "acme" in acme.run("info", "x.png").out.decode()
        assert "acme" in acme.run("cost").out.decode()
        assert acme.run("gallery", ".", "-o", "page.html").code == 0
        again = acme.run("replay", "x.png")
        assert (again.code, "there is no provider `acme`" in again.err) == (2, True)

    def test_another_package_does_not_get_its_jobs(
        self, acme: World, packages: Packages, service: Service
    ) -> None:
        job = acme.run("generate", "x", "-p", "acme", "--no-wait").lines[0]
        packages.remove()
        packages.add(LUMEN, package="kontext-other")
        seen = len(service.seen)
        done = acme.run("fetch", job)
        assert "is at the provider acme of kontext-acme, not at that of kontext-other" in done.err
        assert len(service.seen) == seen


REFUSED = [
    ("raise RuntimeError('boom')", "RuntimeError at acme_"),
    ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("raise SystemExit(3)", "SystemExit at acme_"),
    ("raise BaseException", "BaseException at acme_"),
    ("interface = None", "`interface` does not say for which version it is; this kontext has 1.0"),
    ("interface = 1", "`interface` does not say"),
    ("interface = 0, 9", "it is for version 0.9 of the interface; this kontext has 1.0"),
    ("interface = 1, 99", "it is for version 1.99 of the interface"),
    ("interface = 2, 0", "it is for version 2.0 of the interface"),
    ("offline = True", "it sets `offline`, not part of the public interface"),
    ("key_bases = ('https://a.example',)", "it sets `key_bases`"),
    ("name = 'other'", "its class has another name, `other`"),
    ("home = 'http://api.acme.example'", "sends the key over plain http"),
    ("home = 'acme'", "is not an http(s) URL"),
    ("home = 7", "`home` has the wrong type"),
    ("further_bases = ('https://*.com',)", "is a whole top-level domain"),
    ("further_bases = ('http://b.example',)", "over plain http"),
    ("key_variables = (('FAL_KEY',),)", "`FAL_KEY` of `key_variables` should begin with `ACME_`"),
    ("key_variables = ('ACME_KEY',)", "`key_variables` has the wrong type"),
    ("blocking = True", "it should either be `blocking` or be based on `Queue`"),
    ("jobs = 0", "`inline_bytes` and `jobs` should be at least 1"),
    ("jobs = True", "`jobs` has the wrong type"),
    ("inline_bytes = float('inf')", "`inline_bytes` has the wrong type"),
    ("prices = (Price('lumen-2', -1, ''),)", "a price of `lumen-2` is not of 0 to 1,000,000"),
    ("prices = (Price('lumen-2', 1e308, ''),)", "a price of `lumen-2` is not"),
    ("prices = (Price('lumen-2', float('nan'), ''),)", "`prices` has the wrong type"),
    ("prices = (Price('lumen-2', 1, '\\n::error::'),)", "`prices` contains a control character"),
    ("endpoints = ()", "there is no endpoint for `default_model`, `lumen-2`"),
    ("endpoints = None", "`endpoints` has the wrong type"),
    ("endpoints = (Endpoint('a', 'lumen-2', 'generate', ()),)", "has no option `prompt`"),
    ("endpoints = (Endpoint('a', 'b', 'draw', ()),)", "`endpoints` has the wrong type"),
    (
        "endpoints = (Endpoint('a', 'b', 'edit', (Option('prompt'),)),)",
        "only `edit` has images, and needs them",
    ),
    (
        "endpoints = (Endpoint('a', 'b', 'generate', (Option('prompt'), Option('magic'))),)",
        "the endpoint `a` has an unknown option, `magic`",
    ),
    (
        "endpoints = (Endpoint('a', 'b', 'generate', (Option('prompt', least=1),)),)",
        "the option `prompt` of `a` cannot have `least`",
    ),
    (
        "endpoints = (Endpoint('a', 'b', 'generate', (Option('prompt', default={}),)),)",
        "the option `prompt` of `a` has a default of the wrong type",
    ),
    (
        "endpoints = (Endpoint('', 'b', 'generate', (Option('prompt'),)),)",
        "is not a name",
    ),
    (
        "def headers(self, key): return {'host': 'b.example'}",
        "returned a header that cannot be sent",
    ),
    ("def __init__(self, *_): raise ValueError('x')", "ValueError at acme_"),
    ("@staticmethod\n    def normalised(url): return None", "is broken: `normalised` returned"),
]


class TestOneThatCannotBeUsed:
    @pytest.mark.parametrize(("line", "message"), REFUSED)
    def test_it_is_refused_in_one_way(
        self, acme: World, packages: Packages, service: Service, line: str, message: str
    ) -> None:
        packages.acme(line)
        done = acme.run("generate", "x", "-p", "acme")
        assert (done.code, service.seen) == (2, [])
        assert message in done.err
        assert "the provider acme of kontext-acme 1.0 cannot be used: " in done.err
        assert "Traceback" not in done.err

    @pytest.mark.parametrize("source", ["Acme = 7", "class Acme: pass", "Acme = int"])
    def test_what_is_no_provider(self, acme: World, packages: Packages, source: str) -> None:
        packages.add(source)
        assert "it is not a class based on `Provider`" in acme.run("models", "-p", "acme").err

    def test_what_lacks_a_method_or_the_class(self, acme: World, packages: Packages) -> None:
        packages.add(LUMEN.replace("(Lumen)", "(Storage, Lumen)"))
        assert "it lacks `stored` and `upload`" in acme.run("models", "-p", "acme").err
        packages.add(LUMEN, attribute="Emca")
        assert "AttributeError" in acme.run("models", "-p", "acme").err

    def test_no_other_provider_is_harmed(self, acme: World, packages: Packages) -> None:
        job = acme.run("generate", "x", "-p", "acme", "--no-wait").lines[0]
        packages.acme("raise RuntimeError('boom')")
        acme.configure('[providers.acme]\njobs = 2\n[prices.acme]\n"lumen-2" = 1\n')
        assert "providers.acme.jobs = 2" in acme.run("models", "--debug").err
        assert acme.run("status").code == 0
        assert acme.run("auth", "status").code == 0
        fal = acme.submit()
        both = acme.run("fetch", job, fal)
        assert both.code == 9
        assert both.lines
        assert "cannot be used: RuntimeError" in both.err

    def test_what_it_prints_is_no_result(self, acme: World, packages: Packages) -> None:
        packages.acme("print('noise')")
        done = acme.run("generate", "x", "-p", "acme", "--json")
        assert (len(done.records), "noise" in done.err) == (1, True)

    def test_what_its_methods_print_is_no_result(self, acme: World, packages: Packages) -> None:
        packages.acme(method("poll", "print('noise')", "return Lumen.poll(self, *given)"))
        done = acme.run("generate", "x", "-p", "acme", "--json")
        assert (len(done.records), "noise" in done.err) == (1, True)

    def test_two_packages_with_one_name(self, acme: World, packages: Packages) -> None:
        packages.add(LUMEN, package="kontext-acme-2")
        done = acme.run("models", "-p", "acme")
        assert done.code == 2
        assert "several packages have a provider acme: kontext-acme" in done.err
        assert "kontext-acme-2 1.0" in done.err

    def test_ours_wins_over_one_of_the_same_name(self, acme: World, packages: Packages) -> None:
        packages.add(LUMEN.replace('"acme"', '"fal"'), name="fal", package="kontext-evil")
        assert provider_class("fal").package is None
        assert acme.run("generate", "x", "-p", "fal", "--dry-run").code == 0
        notice = "notice: the provider fal of kontext-evil 1.0 is not used: kontext has its own"
        assert notice in acme.run("models", "-p", "acme").err

    def test_names_that_cannot_be_part_of_a_variable_are_left_out(self, packages: Packages) -> None:
        packages.add(LUMEN, name="ac-me")
        assert not is_known("ac-me")
        assert "ac-me" not in every_name()

    def test_a_table_of_no_provider_is_refused_with_its_line(
        self, acme: World, packages: Packages
    ) -> None:
        acme.configure("[providers.acmee]\njobs = 2\n")
        assert "config.toml:1: there is no provider `acmee`" in acme.run("models").err
        acme.configure("[providers.acme]\nroute = 'x'\n")
        assert "there is no setting `route` of a provider" in acme.run("models").err


def method(name: str, *lines: str) -> str:
    body = "".join(f"\n        {line}" for line in lines)
    return f"def {name}(self, *given):{body}"


NEVER_SENT = [
    (method("submit", "raise KeyError(self)"), "`submit` raised KeyError at acme_"),
    (method("submit", "return {}"), "`submit` returned a value of the wrong type, dict"),
    (method("submit", "raise UnexpectedReply(None)"), "with a wrong `message`"),
    (method("submit", "raise GeneratorExit"), "`submit` raised GeneratorExit at acme_"),
    (method("submit", "raise SystemExit"), "`submit` raised SystemExit"),
    (
        method("submit", "return Call('submit', 'POST', self._url(), json={'x': {1, 2}})"),
        "returned what JSON cannot express (Object of type set is not JSON serializable)",
    ),
    (
        method("submit", "return Call('submit', 'POST', self._url(), json={'x': float('nan')})"),
        "returned what JSON cannot express",
    ),
    (method("submit", "return Call('submit', 'POST', '\\n::error::')"), "with a control character"),
    (
        method("submit", "return Call('status', 'POST', self._url())"),
        "`submit` returned a call of the kind `status`",
    ),
    (
        method("submit", "return Call('submit', 'DELETE', self._url())"),
        "returned a value of the wrong type, Call whose `method` has the wrong type",
    ),
    (
        "endpoints = (Endpoint('a', 'lumen-2', 'generate', "
        "(Option('prompt', encode=lambda value: value.nothing),)),)",
        "`encode` raised AttributeError at acme_",
    ),
]

UNSETTLED = [
    (method("accepted", "return 1 / 0"), "`accepted` raised ZeroDivisionError at acme_"),
    (method("accepted", "return None"), "returned a value of the wrong type, NoneType"),
    (method("accepted", "return Progress(State.QUEUED)"), "neither outputs nor a handle"),
    (
        method("accepted", "return Progress(State.SAVED, handle=Handle('x'))"),
        "returned the state `saved`",
    ),
    (method("accepted", "return Progress('queued', handle=Handle('x'))"), "`state` has the wrong"),
    (method("accepted", "return Progress(State.QUEUED, handle=Handle(''))"), "without an id"),
    (
        method("accepted", "return Progress(State.QUEUED, handle=Handle('x', {'y': object()}))"),
        "returned what JSON cannot express",
    ),
    (method("accepted", "raise AssertionError"), "`accepted` raised AssertionError"),
    (method("handle", "raise KeyError"), "`handle` raised KeyError"),
]

UNREAD = [
    (method("poll", "raise LookupError"), "`poll` raised LookupError at acme_"),
    (method("poll", "return Call('submit', 'POST', self._url())"), "of the kind `submit`"),
    (method("progress", "raise RecursionError"), "`progress` raised RecursionError"),
    (method("status", "return Progress(State.READY, outputs=(Output(),))"), "`url` and `b64`"),
    (
        method("status", "return Progress(State.READY, outputs=(Output('u'),) * 5)"),
        "returned more than 4 outputs",
    ),
    (
        method("status", "raise JobFailed('x', billed='free')"),
        "`status` raised JobFailed at acme_",
    ),
    (method("status", "return Progress(State.READY, usd=-1.0)"), "returned a negative cost"),
    (
        method("status", "return Progress(State.READY, usd=float('nan'))"),
        "`usd` has the wrong type",
    ),
    (method("status", "return Progress(State.READY, outputs=Output('u'))"), "`outputs` has the"),
    (
        method("status", "return Progress(State.READY, done=True, reply={'a': object()})"),
        "returned what JSON cannot express",
    ),
    (method("status", "raise JobFailed(None)"), "raised JobFailed at acme_"),
    (method("status", "raise JobFailed('x', billed='free')"), "with a wrong `billed`"),
    (method("status", "raise JobFailed('x', hint=7)"), "with a wrong `hint`"),
    (method("status", "raise JobFailed('x', exit_code=0)"), "with a wrong `exit_code`"),
    (method("status", "raise type('Own', (JobFailed,), {})('x')"), "no error of the interface"),
    (method("status", "return Progress(State.FAILED)"), "returned the state `failed`"),
    (method("is_about", "return 'yes'"), "`is_about` returned a value of the wrong type, str"),
]


class TestOneThatBreaks:
    @pytest.mark.parametrize(("line", "message"), NEVER_SENT)
    def test_before_the_submit_nothing_is_sent(
        self, acme: World, packages: Packages, service: Service, line: str, message: str
    ) -> None:
        packages.acme(line)
        done = acme.run("generate", "x", "-p", "acme", "--json")
        assert (done.code, service.jobs) == (4, {})
        error = done.records[-1].get("error") or done.records[-1]
        assert error["code"] == "broken_provider"
        assert message in error["message"]
        assert error.get("billed", "no") == "no"
        assert error["message"].startswith("the package kontext-acme 1.0 is broken: ")
        assert "Traceback" not in done.err

    @pytest.mark.parametrize(("line", "message"), UNSETTLED)
    def test_after_the_submit_it_may_be_billed(
        self, acme: World, packages: Packages, service: Service, line: str, message: str
    ) -> None:
        packages.acme(line)
        [record] = acme.run("generate", "x", "-p", "acme", "--json").records
        assert (record["state"], record["error"]["billed"]) == ("unknown", "maybe")
        assert message in record["error"]["message"]
        assert len(service.jobs) == 1

    @pytest.mark.parametrize(("line", "message"), UNREAD)
    def test_an_accepted_job_is_fetched_by_a_better_version(
        self, acme: World, packages: Packages, service: Service, line: str, message: str
    ) -> None:
        packages.acme(line)
        done = acme.run("generate", "x", "-p", "acme", "--json")
        [record] = done.records
        assert (done.code, record["error"]["code"]) == (4, "broken_provider")
        assert message in record["error"]["message"]
        assert record["error"]["billed"] == "maybe"
        assert f"then: kontext fetch {record['id']}" in record["error"]["hint"]
        packages.acme()
        assert acme.run("fetch").code == 0
        assert len(service.jobs) == 1
        assert acme.files() != []

    def test_a_reply_that_it_cannot_read_may_be_billed(
        self, acme: World, packages: Packages
    ) -> None:
        packages.acme(method("status", "raise UnexpectedReply('odd')"))
        [record] = acme.run("generate", "x", "-p", "acme", "--json").records
        assert (record["state"], record["error"]["billed"]) == ("failed", "maybe")

    def test_in_a_batch_it_ends_its_own_rows(self, acme: World, packages: Packages) -> None:
        packages.acme(*OF_KONTEXT, method("submit", "raise KeyError"))
        acme.write("rows.jsonl", [{"prompt": "1", "provider": "acme"}, {"prompt": "2"}])
        done = acme.batch("rows.jsonl")
        assert done.code == 9
        assert done.records[-1]["saved"] == done.records[-1]["failed"] == 1

    def test_a_key_in_an_exception_is_not_printed(self, acme: World, packages: Packages) -> None:
        packages.acme(
            method(
                "headers", "if given[0].startswith('acme'): raise ValueError(given[0])", "return {}"
            )
        )
        done = acme.run("generate", "x", "-p", "acme", "--debug")
        assert done.code == 4
        assert "`headers` raised ValueError" in done.err
        assert KEY not in done.err

    def test_a_header_that_cannot_be_sent(self, acme: World, packages: Packages) -> None:
        packages.acme(method("headers", r"return {'x-key': given[0] + '\n'}"))
        assert "returned a header that cannot be sent" in acme.run("models", "-p", "acme").err

    @pytest.mark.parametrize(
        "url", ["https://evil.example/v1", "http://127.0.0.1:1/v1", "file:///etc/passwd", ""]
    )
    def test_the_key_goes_below_the_base_url_alone(
        self, acme: World, packages: Packages, service: Service, url: str
    ) -> None:
        packages.acme(method("submit", f"return Call('submit', 'POST', {url!r}, json={{}})"))
        done = acme.run("generate", "x", "-p", "acme")
        assert (done.code, service.seen) == (6, [])
        assert "the key is not sent there" in done.err

    def test_further_bases_are_left_out_where_the_user_sets_one(
        self, acme: World, packages: Packages
    ) -> None:
        packages.acme("further_bases = ('https://*.acme.example',)")
        kind = provider_class("acme")
        assert kind().key_bases == ("https://api.lumen.example", "https://*.acme.example")
        assert kind("https://proxy.example").key_bases == ("https://proxy.example",)
