"""Recover, for jobs: whatever becomes of an execution, the job goes on, or ends with the reason."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import CREATED, JOB_ID, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.workflow import MemoryWorkflow
from tunedrop.domain.errors import JobNotFoundError, StoreUnavailableError
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase, execution_name
from tunedrop.domain.lost_executions import LostStatus, Recovery
from tunedrop.domain.transitions import close
from tunedrop.jobs.recover import LAST_RECOVERY, RESUMES, RecoverExecution, RecoverJob

FAILED, ABORTED, TIMED_OUT = LostStatus.FAILED, LostStatus.ABORTED, LostStatus.TIMED_OUT
OPEN_PHASES = [phase for phase in Phase if phase is not Phase.DONE]
STAYS = {Phase.RECEIVED, Phase.AWAITING_UPLOAD}
"""Phases in which nothing has begun that could be cancelled."""


class Rig:
    def __init__(self, phase: Phase = Phase.TRAINING, **changes: Any) -> None:
        self.store = MemoryJobStore()
        self.store.create(job_in(phase, **changes))
        self.workflow = MemoryWorkflow()
        self.workflow.start("openai", JOB_ID, {"job_id": JOB_ID})
        self.clock = FakeClock()
        self.clock.advance(hours=1)
        self.recover = RecoverJob(store=self.store, workflow=self.workflow, clock=self.clock)

    @property
    def job(self) -> Job:
        return self.store.get(JOB_ID)

    @property
    def executions(self) -> list[str]:
        return [name for _, name in self.workflow.executions]

    def lose(self, status: LostStatus) -> Recovery:
        """The present execution is lost."""
        return self.recover(JOB_ID, execution_name(self.job), status)


class TestGoingOn:
    @pytest.mark.parametrize("status", [FAILED, TIMED_OUT])
    @pytest.mark.parametrize("phase", OPEN_PHASES)
    def test_another_execution_goes_on_with_the_job_where_it_was(self, phase: Phase, status: LostStatus) -> None:
        rig = Rig(phase)
        before = rig.job

        assert rig.lose(status) is Recovery.RESUMED

        assert rig.executions == [JOB_ID, f"{JOB_ID}-r1"]
        assert rig.workflow.inputs[f"{JOB_ID}-r1"] == {"job_id": JOB_ID}
        assert rig.job.recoveries == 1
        assert (rig.job.phase, rig.job.status) == (before.phase, before.status)
        assert (rig.job.cancel_requested_at, rig.job.cancel_cause) == (None, None)
        assert rig.job.provider_job_id == before.provider_job_id

    def test_the_record_names_the_execution_that_took_over(self) -> None:
        rig = Rig()
        rig.lose(FAILED)

        assert rig.job.execution_arn == rig.workflow.execution_arn("openai", f"{JOB_ID}-r1")
        assert rig.job.console_url == rig.workflow.console_url("openai", f"{JOB_ID}-r1")

    def test_after_three_the_job_is_cancelled_and_says_why(self) -> None:
        rig = Rig()

        answers = [rig.lose(TIMED_OUT) for _ in range(RESUMES + 1)]

        assert answers == [Recovery.RESUMED] * 3 + [Recovery.STOPPING]
        assert rig.executions[-1] == f"{JOB_ID}-r4"
        assert rig.job.phase is Phase.CANCELLING
        assert rig.job.cancel_requested_at == rig.clock.now()
        assert rig.job.cancel_cause is not None
        assert rig.job.cancel_cause.code == "execution_lost"
        assert "4 executions of the job were lost, the last one as TIMED_OUT" in rig.job.cancel_cause.message
        assert f"{JOB_ID}-r3" in rig.job.cancel_cause.message


class TestAborted:
    @pytest.mark.parametrize("phase", OPEN_PHASES)
    def test_who_aborts_the_execution_cancels_the_job(self, phase: Phase) -> None:
        rig = Rig(phase)

        assert rig.lose(ABORTED) is Recovery.STOPPING

        assert rig.executions == [JOB_ID, f"{JOB_ID}-r1"]
        assert rig.job.phase is (phase if phase in STAYS else Phase.CANCELLING)
        assert rig.job.cancel_requested_at == rig.clock.now()
        assert rig.job.cancel_cause is not None
        assert rig.job.cancel_cause.code == "execution_aborted"

    def test_what_a_user_asked_for_before_stays_as_it_was_asked(self) -> None:
        rig = Rig(Phase.CANCELLING, cancel_requested_at=CREATED)

        assert rig.lose(ABORTED) is Recovery.STOPPING

        assert (rig.job.cancel_requested_at, rig.job.cancel_cause) == (CREATED, None)
        assert rig.executions[-1] == f"{JOB_ID}-r1"

    def test_an_end_that_was_reached_before_is_not_cancelled(self) -> None:
        rig = Rig(outcome=Outcome(status=JobStatus.SUCCEEDED, tuned_model="ft:m"))

        assert rig.lose(ABORTED) is Recovery.RESUMED

        assert (rig.job.cancel_requested_at, rig.job.cancel_cause) == (None, None)
        assert rig.executions[-1] == f"{JOB_ID}-r1"


class TestRepeatedAndLate:
    @pytest.mark.parametrize("status", LostStatus)
    def test_an_event_that_comes_twice_makes_one_execution(self, status: LostStatus) -> None:
        rig = Rig()

        answers = [rig.recover(JOB_ID, JOB_ID, status) for _ in range(3)]

        assert answers[1:] == [Recovery.REPLACED] * 2
        assert rig.executions == [JOB_ID, f"{JOB_ID}-r1"]
        assert rig.job.recoveries == 1

    def test_an_old_event_makes_sure_that_the_present_execution_was_started(self) -> None:
        # The first delivery died between its note on the record and the start.
        rig = Rig(recoveries=2)

        assert rig.recover(JOB_ID, f"{JOB_ID}-r1", ABORTED) is Recovery.REPLACED

        assert rig.executions == [JOB_ID, f"{JOB_ID}-r2"]
        assert (rig.job.recoveries, rig.job.cancel_requested_at) == (2, None)

    def test_a_delivery_that_fails_at_the_start_is_finished_by_the_next(self) -> None:
        rig = Rig()

        class Down(MemoryWorkflow):
            def start(self, provider: str, name: str, state: Mapping[str, str | int]) -> None:
                raise StoreUnavailableError("no answer")

        with pytest.raises(StoreUnavailableError):
            RecoverJob(store=rig.store, workflow=Down(), clock=rig.clock)(JOB_ID, JOB_ID, FAILED)
        assert rig.job.recoveries == 1
        rig.recover(JOB_ID, JOB_ID, FAILED)

        assert rig.executions == [JOB_ID, f"{JOB_ID}-r1"]

    @pytest.mark.parametrize("status", LostStatus)
    def test_a_job_that_has_ended_is_left_as_it_is(self, status: LostStatus) -> None:
        rig = Rig()
        ended = rig.store.change(JOB_ID, lambda job: close(job, Outcome(status=JobStatus.FAILED), at=CREATED))

        assert rig.lose(status) is Recovery.ENDED

        assert rig.job == ended
        assert rig.executions == [JOB_ID]

    @pytest.mark.parametrize("seed", range(20))
    def test_in_any_order_and_any_number_the_events_leave_one_present_execution(self, seed: int) -> None:
        chance, rig = random.Random(seed), Rig()
        lost: list[tuple[str, LostStatus]] = []
        for _ in range(RESUMES):
            lost.append((execution_name(rig.job), chance.choice([FAILED, TIMED_OUT])))
            deliveries = [*lost, *lost]
            chance.shuffle(deliveries)
            for name, status in deliveries:
                rig.recover(JOB_ID, name, status)

        assert rig.executions == [JOB_ID, *(f"{JOB_ID}-r{number}" for number in range(1, RESUMES + 1))]
        assert (rig.job.recoveries, rig.job.cancel_requested_at) == (RESUMES, None)


class TestGivingUp:
    def test_what_never_ends_is_closed_and_says_what_may_be_left(self) -> None:
        rig = Rig(recoveries=LAST_RECOVERY, cancel_requested_at=CREATED)

        assert rig.lose(FAILED) is Recovery.GIVEN_UP

        assert rig.executions == [JOB_ID]
        assert (rig.job.status, rig.job.phase) == (JobStatus.FAILED, Phase.DONE)
        assert rig.job.error is not None
        assert rig.job.error.code == "execution_lost"
        assert "pj-0 may still run, and cost money, at openai" in rig.job.error.message

    def test_a_submission_in_doubt_is_named_by_its_token(self) -> None:
        rig = Rig(Phase.SUBMITTING, recoveries=LAST_RECOVERY)
        rig.lose(FAILED)

        assert rig.job.error is not None
        assert f"the job with the token tunedrop-{JOB_ID} may still run" in rig.job.error.message

    def test_nothing_can_be_left_of_what_was_never_submitted(self) -> None:
        rig = Rig(Phase.PREPARING, recoveries=LAST_RECOVERY)
        rig.lose(FAILED)

        assert rig.job.error is not None
        assert "may still run" not in rig.job.error.message

    def test_an_end_that_was_reached_before_is_the_end(self) -> None:
        error = JobError(code="training_failed", message="row 7 is bad")
        rig = Rig(recoveries=LAST_RECOVERY, outcome=Outcome(status=JobStatus.FAILED, error=error))
        rig.lose(TIMED_OUT)

        assert (rig.job.status, rig.job.error) == (JobStatus.FAILED, error)

    def test_executions_that_keep_failing_come_to_an_end(self) -> None:
        rig = Rig()
        answers = [rig.lose(FAILED) for _ in range(20)]

        assert rig.job.is_final
        assert len(rig.executions) == LAST_RECOVERY + 1
        assert answers[-1] is Recovery.ENDED


class TestWhatTheExecutionWasFor:
    @pytest.fixture
    def calls(self) -> list[tuple[str, str, str, LostStatus]]:
        return []

    @pytest.fixture
    def recover(self, calls: list[tuple[str, str, str, LostStatus]]) -> RecoverExecution:
        store = MemoryJobStore()
        store.create(job_in(Phase.TRAINING))

        def note(family: str) -> Any:
            def recover(job_id: str, lost: str, status: LostStatus) -> Recovery:
                calls.append((family, job_id, lost, status))
                return Recovery.RESUMED

            return recover

        return RecoverExecution(
            store=store,
            trainings=MemoryWorkflow("fine-tuning"),
            endpoints=MemoryWorkflow("endpoint"),
            recover_training=note("training"),
            recover_endpoint=note("endpoint"),
        )

    @pytest.mark.parametrize(
        ("family", "name"),
        [
            ("training", JOB_ID),
            ("training", f"{JOB_ID}-r2"),
            ("endpoint", f"{JOB_ID}-1"),
            ("endpoint", f"{JOB_ID}-3-12"),
        ],
    )
    def test_its_machine_and_its_name_say_it(
        self, recover: RecoverExecution, calls: list[Any], family: str, name: str
    ) -> None:
        workflow = recover.trainings if family == "training" else recover.endpoints

        assert recover(workflow.execution_arn("openai", name), ABORTED) is Recovery.RESUMED
        assert calls == [(family, JOB_ID, name, ABORTED)]

    @pytest.mark.parametrize(
        ("provider", "name"),
        [
            ("openai", "test-by-hand"),
            ("openai", "a" * 26),
            ("openai", ""),
            # The job is OpenAI's: its id as a name in another provider's machine was given by hand.
            ("bedrock", JOB_ID),
        ],
    )
    def test_what_somebody_started_by_hand_is_not_ours(
        self, recover: RecoverExecution, calls: list[Any], provider: str, name: str
    ) -> None:
        assert recover(recover.trainings.execution_arn(provider, name), FAILED) is Recovery.NOT_OURS
        assert calls == []


def test_an_unknown_job_is_said_to_be_unknown() -> None:
    with pytest.raises(JobNotFoundError):
        Rig().recover("a" * 26, "a" * 26, FAILED)


def test_an_execution_named_by_hand_like_a_job_of_the_same_machine_changes_nothing() -> None:
    rig = Rig()

    assert rig.recover(JOB_ID, f"{JOB_ID}-by-hand", ABORTED) is Recovery.REPLACED

    assert rig.executions == [JOB_ID]
    assert rig.job == job_in(Phase.TRAINING)
