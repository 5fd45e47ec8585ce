"""`kontext doctor`: run the checks, and report what they found."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from kontext_cli.commands.completion import FILES, script_of
from kontext_cli.doctor.configuration import (
    check_config,
    check_provider,
    check_variables,
    check_words,
    list_settings,
    load_settings,
)
from kontext_cli.doctor.finding import Finding, Group, exit_code_of
from kontext_cli.doctor.folders import (
    check_config_folder,
    check_output_folder,
    check_state_folder,
)
from kontext_cli.doctor.jobs import check_journal
from kontext_cli.doctor.keys import check_credentials, check_keys, check_servers, with_keys
from kontext_cli.doctor.network import check_certificates, check_proxies
from kontext_cli.doctor.packages import check_packages
from kontext_cli.doctor.programs import check_completions, check_versions
from kontext_cli.errors import Interrupted, UsageError
from kontext_cli.settings.settings import Setting, Settings
from kontext_cli.terminal.doctor import report_lines, summary
from kontext_cli.terminal.image_protocols import protocol_of
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result

_PROTOCOLS = {
    "kitty": "shown by kitty's protocol",
    "iterm": "shown by iTerm2's protocol",
    "blocks": "shown as half-blocks",
}


def check_all(*, online: bool, debug: bool) -> Result:
    """Run all checks; ``online``, ask providers, servers and stores, too.

    Raises Interrupted for a signal while they are asked.
    """
    settings, fault = load_settings(os.environ)
    listed, faults = list_settings(settings)
    groups = {each.title: [*each.findings()] for each in _groups(settings, fault, online=online)}
    groups["settings"] += faults
    if online:
        groups["providers"] = _online(settings, debug=debug)
    groups = _without_repetition(groups)
    findings = [finding for group in groups.values() for finding in group]
    return Result(
        exit_code=exit_code_of(findings),
        text=report_lines(listed, groups, config=settings.config.path),
        records=_records(listed, groups),
        messages=summary(findings, online=online),
    )


def _groups(settings: Settings, fault: UsageError | None, *, online: bool) -> Sequence[Group]:
    """All checks but those of the providers."""
    environ = os.environ
    return (
        Group(
            "settings",
            (
                ("config file", partial(check_config, settings, fault)),
                ("variables", partial(check_variables, environ)),
                ("words", partial(check_words, settings)),
                ("provider", partial(check_provider, settings)),
            ),
        ),
        Group(
            "keys",
            (
                ("stored keys", partial(check_credentials, settings)),
                ("keys", partial(check_keys, settings)),
                ("servers", partial(check_servers, settings)),
            ),
        ),
        Group(
            "network",
            (
                ("proxy", check_proxies),
                ("certificates", partial(check_certificates, environ)),
            ),
        ),
        Group(
            "folders",
            (
                ("config", partial(check_config_folder, environ)),
                ("state", partial(check_state_folder, environ)),
                ("journal", partial(check_journal, environ, online=online)),
                ("output", partial(check_output_folder, settings, online=online)),
            ),
        ),
        Group(
            "programs",
            (
                ("versions", check_versions),
                ("packages", check_packages),
                ("images", partial(_images, environ)),
                ("completion", partial(_completions, environ)),
            ),
        ),
    )


def _without_repetition(groups: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """The groups with each problem once: a setting that cannot be used fails several checks, of
    which the others say more about it than those of the settings."""
    others = [title for title in groups if title != "settings"]
    first = {
        finding.text: finding
        for title in ("settings", *reversed(others))
        for finding in reversed(groups[title])
    }
    return {
        title: [each for each in findings if each.verdict != "problem" or each is first[each.text]]
        for title, findings in groups.items()
    }


def _images(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Whether `kontext show` can draw images on this terminal."""
    encoding = (sys.stderr and sys.stderr.encoding) or "utf-8"
    protocol = protocol_of(environ, encoding)
    text = _PROTOCOLS[protocol] if protocol else "this terminal is not known to show any"
    yield Finding("images", text)


def _completions(environ: Mapping[str, str]) -> Iterator[Finding]:
    scripts = {shell: script_of(shell) for shell in FILES}
    with suppress(RuntimeError):  # this user has no home folder
        yield from check_completions(environ, scripts, Path.home())


def _online(settings: Settings, *, debug: bool) -> list[Finding]:
    """What the providers and servers answer. Raises Interrupted."""
    from kontext_cli.commands.signals import run_until_signal
    from kontext_cli.doctor.online import ask_all

    keyed = [*with_keys(settings)]
    findings = [each for each in keyed if isinstance(each, Finding)]
    asked = [each for each in keyed if not isinstance(each, Finding)]

    async def work() -> None:
        findings.extend(await ask_all(asked, to_stderr if debug else None))

    signal_number = run_until_signal(work)
    if signal_number is not None:
        raise Interrupted("interrupted", signal_number=signal_number)
    return findings or [Finding("providers", "none to ask: there is no key, and no server")]


def _records(
    listed: Mapping[str, Setting], groups: Mapping[str, Sequence[Finding]]
) -> Iterator[dict[str, Any]]:
    for name, setting in listed.items():
        yield {
            "schema": SCHEMA,
            "type": "setting",
            "name": name,
            "value": setting.value,
            "origin": setting.origin,
        }
    for title, findings in groups.items():
        for finding in findings:
            yield {
                "schema": SCHEMA,
                "type": "finding",
                "group": title,
                "name": finding.name,
                "verdict": finding.verdict,
                "text": finding.text,
                "hint": finding.hint,
            }
