"""Rows of the journal in the formats that earlier versions wrote."""

import json

import pytest

from kontext_cli.job import Handle
from kontext_cli.journal.codec import Row, SavedFile, job_of, row_of, saved_of
from kontext_cli.providers.chainhub import Chainhub

JOB = "https://api.chainhub.tech/fal-ai/flux-pro/requests/764cabcf"
URLS = {"status_url": None, "response_url": JOB, "cancel_url": f"{JOB}/cancel"}
BEFORE = Row(
    id="1qfa9fanyt8a",
    state="queued",
    owner=None,
    batch=None,
    row=None,
    attempt=1,
    request_id="764cabcf",
    created_at="2026-11-27T00:00:00.000000+00:00",
    details='{"operation":"generate","provider":"chainhub","model":"kontext-pro",'
    '"endpoint":"fal-ai/flux-pro/kontext/text-to-image","request":{"prompt":"a red fox"},'
    '"seed":null,"cost":{"usd":null,"source":"unknown"},"digest":"","sources":[],"target":null,'
    '"index":null,"handle":{"request_id":"764cabcf","status_url":null,'
    f'"response_url":"{JOB}","cancel_url":"{JOB}/cancel","misses":2}},'
    '"position":null,"outputs":[],"files":[],"reply":{},"skipped":false,"error":null,'
    '"answer_by":null,"finished_at":null}',
)
"""As it was written when handles were fal's URLs and nothing else."""


def test_a_handle_of_an_earlier_version_still_leads_to_its_job() -> None:
    handle = job_of(BEFORE).handle
    assert handle == Handle("764cabcf", {**URLS, "misses": 2})
    assert Chainhub().poll(handle).url == JOB
    assert Chainhub().cancel(handle).url == f"{JOB}/cancel"


def test_an_earlier_version_can_read_what_is_written_now() -> None:
    rewritten = row_of(job_of(BEFORE), None)
    added = {"server": None, "package": None}  # it ignores what it does not know
    assert json.loads(rewritten.details) == {**json.loads(BEFORE.details), **added}
    assert rewritten._replace(details="") == BEFORE._replace(details="")


@pytest.mark.parametrize("changes", [{}, {"modified": None}])
def test_a_saved_job_is_the_same_when_only_a_part_of_it_is_read(changes: dict[str, None]) -> None:
    file = {"path": "/out/é.jpg", "sha256": "ab", "bytes": 7, "modified": 9, "later": True}
    file |= {"width": 8, "height": 6, "format": "jpeg"}
    file = {name: value for name, value in file.items() if name not in changes}
    details = json.dumps(json.loads(BEFORE.details) | {"files": [file], "digest": "d1"})
    row = BEFORE._replace(state="saved", attempt=2, details=details)
    job, saved = job_of(row), saved_of(row.id, row.attempt, row.details)
    assert saved[:4] == (job.id, job.attempt, job.provider, job.digest)
    assert [
        SavedFile(str(each.path), each.sha256, each.bytes, each.modified) for each in job.files
    ] == [*saved.files]
