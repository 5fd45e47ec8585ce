"""What the ledger remembers: accepted submits, and every request with its headers."""

import asyncio
from threading import Thread

import httpx2

from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.ledger import Ledger, Seen
from sandbox.clients import PRO, Queue, client, opened
from sandbox.running import Running


def test_an_entry_holds_what_was_sent(queue: Queue, running: Running) -> None:
    job = queue.job(prompt="a fox", seed=3, colour="red")
    entry = running.ledger.entries[0]
    assert (entry.dialect, entry.prompt, entry.seed) == ("fal", "a fox", 3)
    assert entry.endpoint == "fal-ai/flux-pro/kontext/text-to-image"
    assert entry.payload == {"prompt": "a fox", "seed": 3, "colour": "red"}
    assert entry.request_id == job["request_id"]


def test_prompts_are_counted_apart(queue: Queue, running: Running) -> None:
    for prompt in ("a fox", "a hare", "a fox"):
        queue.job(prompt=prompt)
    assert [running.ledger.accepted(prompt) for prompt in ("a fox", "a hare", "an owl")] == [
        2,
        1,
        0,
    ]


def test_anyone_may_ask_what_was_accepted(queue: Queue, running: Running) -> None:
    inline = "data:image/png;base64," + "A" * 4_000
    job = queue.job(PRO, prompt="a fox", seed=3, image_url=inline)
    for prompt in ("a hare", "a fox", "[fault:401]"):
        queue.submit(prompt=prompt, seed=4, deep=[[[[[[[[[[]]]]]]]]]])
    with client(running.url) as bare:
        told = bare.get("/ledger").json()
    assert (told["accepted"], told["by_prompt"]) == (3, {"a fox": 2, "a hare": 1})
    assert told["entries"][0] == {
        "dialect": "fal",
        "endpoint": PRO,
        "prompt": "a fox",
        "request_id": job["request_id"],
        "seed": 3,
        "payload": {
            "prompt": "a fox",
            "seed": 3,
            "image_url": "data:image/png;base64,… (4,000 characters)",
        },
    }


def test_keys_are_seen_where_they_were_sent(queue: Queue, running: Running) -> None:
    url = queue.made()["images"][0]["url"]
    with client("") as bare:
        bare.get(url)
    queue.http.get(url)
    submit, _result, without, wrongly = running.ledger.requests
    assert (submit.method, submit.headers["authorization"]) == ("POST", "Key secret")
    assert submit.headers["host"] == running.url.removeprefix("http://")
    assert without.path.startswith("/files/")
    assert "authorization" not in without.headers
    assert wrongly.headers["authorization"] == "Key secret"


def test_queries_are_seen(queue: Queue, running: Running) -> None:
    queue.http.get(queue.job()["status_url"], params={"logs": "1"})
    assert [seen.query for seen in running.ledger.requests] == ["", "logs=1"]


def test_a_test_can_wait_for_a_submit(queue: Queue, running: Running) -> None:
    assert not running.ledger.wait_for(1, seconds=0)
    submitting = Thread(target=queue.job)
    submitting.start()
    assert running.ledger.wait_for(1, seconds=20)
    submitting.join()


def test_only_the_latest_requests_are_kept() -> None:
    ledger = Ledger()
    for number in range(10_003):
        ledger.see(Seen("GET", f"/{number}", "", {}))
    assert (len(ledger.requests), ledger.requests[0].path) == (10_000, "/3")


def test_the_app_also_answers_in_process() -> None:
    async def made() -> bytes:
        transport = httpx2.ASGITransport(app=Sandbox().app)
        async with httpx2.AsyncClient(
            transport=transport,
            base_url="http://sandbox.localhost",
            headers={"authorization": "Key sandbox"},
        ) as http:
            submit = "/fal/fal-ai/flux-pro/kontext/text-to-image"
            job = (await http.post(submit, json={"prompt": "a fox"})).json()
            result = (await http.get(job["response_url"])).json()
            lost = await http.post(submit, json={"prompt": "[fault:lost-reply]"})
            assert (lost.status_code, lost.content) == (200, b"")
            return (await http.get(result["images"][0]["url"])).content

    assert opened(asyncio.run(made())).size == (1024, 1024)
