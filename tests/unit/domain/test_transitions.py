"""Where a job may go, and that its end is final."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import job_in
from tunedrop.domain.errors import TransitionError
from tunedrop.domain.job import FINAL_STATUSES, JobStatus, Outcome, Phase
from tunedrop.domain.transitions import NEXT_PHASES, advance, close

LATER = datetime(2026, 11, 22, 10, tzinfo=UTC)
MOVING = [phase for phase in Phase if phase is not Phase.DONE]


def test_every_phase_has_a_row_in_the_table() -> None:
    assert set(NEXT_PHASES) == set(Phase)


def test_every_phase_can_reach_the_end() -> None:
    for phase in MOVING:
        seen: set[Phase] = {phase}
        frontier: set[Phase] = {phase}
        while frontier:
            frontier = {later for one in frontier for later in NEXT_PHASES[one]} - seen
            seen |= frontier
        assert Phase.DONE in seen, phase


@pytest.mark.parametrize("phase", MOVING)
@pytest.mark.parametrize("target", MOVING)
def test_a_job_goes_only_where_the_table_allows(phase: Phase, target: Phase) -> None:
    job = job_in(phase)
    if phase is Phase.CANCELLING:
        # Steps that are still at work on a job that is being cancelled do not bring it back.
        assert advance(job, target, at=LATER).phase is Phase.CANCELLING
    elif target is phase or target in NEXT_PHASES[phase]:
        moved = advance(job, target, at=LATER)
        assert (moved.phase, moved.version, moved.updated_at) == (target, job.version + 1, LATER)
    else:
        with pytest.raises(TransitionError, match=f"from {phase} to {target}"):
            advance(job, target, at=LATER)


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        (Phase.RECEIVED, "not_started"),
        (Phase.AWAITING_UPLOAD, "not_started"),
        (Phase.PREPARING, "pending"),
        (Phase.SUBMITTING, "pending"),
        (Phase.QUEUED, "pending"),
        (Phase.WAITING_FOR_QUOTA, "pending"),
        (Phase.TRAINING, "running"),
    ],
)
def test_the_status_follows_from_the_phase(phase: Phase, status: str) -> None:
    assert job_in(phase).status == status


@pytest.mark.parametrize("target", MOVING)
@pytest.mark.parametrize("before", [Phase.QUEUED, Phase.TRAINING])
def test_nothing_but_the_end_follows_cancelling_and_its_status_stays(before: Phase, target: Phase) -> None:
    job = advance(job_in(before), Phase.CANCELLING, at=LATER)

    assert advance(job, target, at=LATER, provider_status="s").status is job.status
    assert close(job, Outcome(status=JobStatus.CANCELLED), at=LATER).phase is Phase.DONE


def test_cancelling_keeps_the_status_of_what_is_cancelled() -> None:
    assert advance(job_in(Phase.QUEUED), Phase.CANCELLING, at=LATER).status is JobStatus.PENDING
    assert advance(job_in(Phase.TRAINING), Phase.CANCELLING, at=LATER).status is JobStatus.RUNNING


@given(first=st.sampled_from(sorted(FINAL_STATUSES)), second=st.sampled_from(sorted(FINAL_STATUSES)))
def test_an_end_is_final(first: JobStatus, second: JobStatus) -> None:
    ended = close(job_in(Phase.TRAINING), Outcome(status=first), at=LATER)

    assert close(ended, Outcome(status=second), at=LATER + timedelta(hours=1)) is ended
    with pytest.raises(TransitionError):
        advance(ended, Phase.TRAINING, at=LATER)


@pytest.mark.parametrize("status", [status for status in JobStatus if status not in FINAL_STATUSES])
def test_a_job_cannot_end_in_a_status_that_goes_on(status: JobStatus) -> None:
    with pytest.raises(TransitionError):
        close(job_in(Phase.TRAINING), Outcome(status=status), at=LATER)
