"""What a run does for a row, by what is known of it."""

from typing import Any

import pytest

from kontext_cli.batch.decide import Known, Rules, Step, decide
from kontext_cli.job import State

PLAIN = Rules()
FORCE = Rules(make_saved=True)
RETRY = Rules(retry_failed=True)
RESUBMIT = Rules(resubmit_unknown=True)
ALL = Rules(make_saved=True, retry_failed=True, resubmit_unknown=True)


def known(state: State, **given: Any) -> Known:
    """A row whose last job ended so; its digest is `same`."""
    usual: dict[str, Any] = {
        "job_id": "x",
        "attempt": 1,
        "digest": "same",
        "files": "untouched" if state is State.SAVED else None,
        "free": False,
        "at_hand": False,
    }
    return Known(state=state, **usual | given)


SAVED = known(State.SAVED, at_hand=True)
MISSING = known(State.SAVED, files="missing", at_hand=True)
LOST = known(State.SAVED, files="missing")
AWAY = known(State.SAVED, files="missing", at_hand=True, away=True)
EDITED = known(State.SAVED, files="edited")
MODERATED = known(State.MODERATED)
FLAGGED = known(State.MODERATED, at_hand=True)
UNKNOWN = known(State.UNKNOWN)
ANSWERED = known(State.UNKNOWN, at_hand=True)


@pytest.mark.parametrize(
    ("row", "rules", "step", "reason"),
    [
        (None, PLAIN, Step.MAKE, "new"),
        (None, ALL, Step.MAKE, "new"),
        (known(State.PLANNED, free=True), PLAIN, Step.MAKE, "new"),
        # saved
        (SAVED, PLAIN, Step.SKIP, "saved"),
        (SAVED, RETRY, Step.SKIP, "saved"),
        (SAVED, RESUBMIT, Step.SKIP, "saved"),
        (SAVED, FORCE, Step.MAKE, "forced"),
        (MISSING, PLAIN, Step.COLLECT, "file missing"),
        (LOST, PLAIN, Step.MAKE, "file missing"),
        (MISSING, FORCE, Step.MAKE, "forced"),
        (AWAY, PLAIN, Step.SKIP, "saved on another machine"),
        (AWAY, FORCE, Step.MAKE, "forced"),
        (EDITED, PLAIN, Step.SKIP, "file edited"),
        (EDITED, FORCE, Step.MAKE, "forced"),
        # submitted
        (known(State.QUEUED), PLAIN, Step.COLLECT, "collected"),
        (known(State.RUNNING), PLAIN, Step.COLLECT, "collected"),
        (known(State.READY), ALL, Step.COLLECT, "collected"),
        # failed
        (known(State.FAILED, free=True), PLAIN, Step.MAKE, "failed"),
        (known(State.FAILED), PLAIN, Step.HOLD, "failed"),
        (known(State.FAILED), FORCE, Step.HOLD, "failed"),
        (known(State.FAILED), RETRY, Step.MAKE, "failed"),
        (known(State.CANCELED, free=True), PLAIN, Step.MAKE, "canceled"),
        (known(State.CANCELED), PLAIN, Step.HOLD, "canceled"),
        (known(State.EXPIRED), PLAIN, Step.HOLD, "expired"),
        (known(State.EXPIRED), RETRY, Step.MAKE, "expired"),
        # moderated
        (MODERATED, PLAIN, Step.HOLD, "moderated"),
        (known(State.MODERATED, free=True), PLAIN, Step.HOLD, "moderated"),
        (MODERATED, RETRY, Step.MAKE, "moderated"),
        (FLAGGED, PLAIN, Step.HOLD, "moderated"),
        # unknown
        (UNKNOWN, PLAIN, Step.HOLD, "unknown"),
        (UNKNOWN, RETRY, Step.HOLD, "unknown"),
        (UNKNOWN, FORCE, Step.HOLD, "unknown"),
        (UNKNOWN, RESUBMIT, Step.MAKE, "unknown"),
        (ANSWERED, PLAIN, Step.COLLECT, "collected"),
        (ANSWERED, RESUBMIT, Step.COLLECT, "collected"),
    ],
)
def test_the_last_job_of_a_row_and_the_users_word_decide(
    row: Known | None, rules: Rules, step: Step, reason: str
) -> None:
    decision = decide(row, "same", rules, keep_flagged=False)
    assert (decision.step, decision.reason) == (step, reason)


@pytest.mark.parametrize(
    ("row", "step"),
    [(FLAGGED, Step.COLLECT), (MODERATED, Step.HOLD), (SAVED, Step.SKIP), (UNKNOWN, Step.HOLD)],
)
def test_a_flagged_image_that_is_to_be_kept_is_collected_where_it_can_be(
    row: Known, step: Step
) -> None:
    assert decide(row, "same", PLAIN, keep_flagged=True).step is step


@pytest.mark.parametrize("state", State)
def test_a_row_that_changed_is_made_unless_its_job_can_still_be_collected(state: State) -> None:
    decision = decide(known(state), "other", PLAIN, keep_flagged=True)
    if state in (State.QUEUED, State.RUNNING, State.READY):
        assert decision.step is Step.COLLECT
    elif state is not State.SUBMITTING:
        assert decision.step is Step.MAKE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("rules", [PLAIN, ALL])
@pytest.mark.parametrize("digest", ["same", "other"])
def test_what_another_run_is_at_is_waited_for(state: State, rules: Rules, digest: str) -> None:
    row = known(state, elsewhere=True)
    assert decide(row, digest, rules, keep_flagged=True).step is Step.WAIT


@pytest.mark.parametrize("rules", [PLAIN, ALL])
@pytest.mark.parametrize("digest", ["same", "other"])
def test_a_submit_that_is_under_way_is_never_made_again(rules: Rules, digest: str) -> None:
    row = known(State.SUBMITTING, free=True)
    assert decide(row, digest, rules, keep_flagged=True).step is not Step.MAKE
