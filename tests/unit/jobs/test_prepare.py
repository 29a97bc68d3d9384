"""Prepare: checked, converted and written down before anything is sent or paid for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import CREATED, DATASET, JOB_ID, REQUEST, job_in
from tests.fakes.clock import FakeClock
from tests.fakes.job_store import MemoryJobStore
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.domain.job import Job, JobError, JobStatus, Outcome, Phase
from tunedrop.domain.polling import PollingPolicy
from tunedrop.domain.ports import ObjectInfo
from tunedrop.domain.transitions import advance
from tunedrop.jobs.prepare import PrepareJob
from tunedrop.jobs.step import StepOutcome, StepResult

TRAINING = "s3://inbox/inbox/openai/gpt-4.1-mini/train.jsonl"
VALIDATION = "s3://inbox/inbox/val.jsonl"


def chat(number: int) -> bytes:
    messages = [
        {"role": "user", "content": f"What is {number}?"},
        {"role": "assistant", "content": f"It is {number}."},
    ]
    return json.dumps({"messages": messages}).encode() + b"\n"


ROWS = b"".join(chat(number) for number in range(12))
PAIRS = b"".join(
    json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": f"What is {number}?"}]},
            "preferred_output": [{"role": "assistant", "content": f"It is {number}."}],
            "non_preferred_output": [{"role": "assistant", "content": "Who knows?"}],
        }
    ).encode()
    + b"\n"
    for number in range(12)
)
COMPLETIONS = b'{"prompt": "What is one?", "completion": "It is one."}\n' * 12


class Bench:
    """Prepare with everything around it in memory."""

    def __init__(self, job: Job | None = None, **request: Any) -> None:
        self.clock = FakeClock()
        self.store = MemoryJobStore()
        self.objects = MemoryObjectStore()
        self.prepare = PrepareJob(
            store=self.store,
            objects=self.objects,
            clock=self.clock,
            artifacts_bucket="artifacts",
            polling=PollingPolicy(jitter=0),
        )
        self.store.create(job or job_in(Phase.RECEIVED, request=msgspec.structs.replace(REQUEST, **request)))

    def __call__(self) -> StepResult:
        return self.prepare(JOB_ID)

    @property
    def job(self) -> Job:
        return self.store.get(JOB_ID)

    @property
    def error(self) -> JobError:
        assert self.job.outcome is not None
        assert self.job.outcome.error is not None
        return self.job.outcome.error

    def during_the_look(self, action: Callable[[], object]) -> None:
        """Something that happens while the files are looked for."""
        head = self.objects.head

        def looked(uri: str) -> ObjectInfo | None:
            action()
            return head(uri)

        self.objects.head = looked  # type: ignore[method-assign]

    def found(self) -> Any:
        return json.loads(self.objects.objects[f"s3://artifacts/jobs/{JOB_ID}/dataset.json"])


def test_a_good_file_is_ready_with_its_rows_counted() -> None:
    bench = Bench()
    bench.objects.put(TRAINING, ROWS)

    assert bench() == StepResult(job_id=JOB_ID, outcome=StepOutcome.READY)
    assert bench.job.phase is Phase.PREPARING
    assert bench.job.dataset is not None
    assert (bench.job.dataset.training_rows, bench.job.dataset.format) == (12, "chat")
    assert bench.objects.objects[bench.job.dataset.training_uri] == ROWS
    assert bench.found()["training"]["rows"] == 12


def test_preparing_again_changes_nothing() -> None:
    bench = Bench()
    bench.objects.put(TRAINING, ROWS)
    bench()
    version = bench.job.version

    assert bench().outcome is StepOutcome.READY
    assert bench.job.version == version


def test_a_crash_before_the_result_was_stored_is_made_good_by_the_next_attempt() -> None:
    bench = Bench()
    bench.objects.put(TRAINING, ROWS)
    change = bench.store.change
    calls = iter([change, None])

    def crash_once(*args: Any) -> Job:
        step = next(calls, change)
        if step is None:
            raise ConnectionError
        return step(*args)

    bench.store.change = crash_once  # type: ignore[assignment,method-assign]
    with pytest.raises(ConnectionError):
        bench()

    assert bench().outcome is StepOutcome.READY


def test_every_bad_row_is_in_the_report_and_the_first_in_the_error() -> None:
    bench = Bench()
    bad = b'{"messages": []}\n'
    bench.objects.put(TRAINING, ROWS + bad + chat(1) + bad)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.error.code == "dataset_invalid"
    assert "train.jsonl:13" in bench.error.message
    problems = bench.found()["training"]["problems"]
    assert [(each["file"], each["line"], each["code"]) for each in problems] == [
        ("train.jsonl", 13, "messages_empty"),
        ("train.jsonl", 15, "messages_empty"),
    ]
    assert f"s3://artifacts/jobs/{JOB_ID}/training.jsonl" not in bench.objects.objects


def test_what_is_wrong_with_either_file_is_said_in_one_go() -> None:
    bench = Bench(validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS + b"{\n" * 3)
    bench.objects.put(VALIDATION, ROWS + b'{"messages": []}\n')

    assert bench().outcome is StepOutcome.ENDED
    assert bench.error.code == "dataset_invalid"
    assert "train.jsonl:13" in bench.error.message
    assert "val.jsonl:13" in bench.error.message
    found = bench.found()
    assert (found["training"]["problems_total"], found["validation"]["problems_total"]) == (3, 1)


def test_a_bad_validation_file_alone_ends_the_job() -> None:
    bench = Bench(validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS)
    bench.objects.put(VALIDATION, b"")

    assert bench().outcome is StepOutcome.ENDED
    assert "val.jsonl" in bench.error.message
    assert (bench.found()["training"]["rows"], bench.found()["validation"]["problems_total"]) == (12, 1)


def test_a_hyperparameter_that_the_rows_do_not_take_ends_the_job_with_its_report() -> None:
    bench = Bench(hyperparameters={"beta": 0.2})
    bench.objects.put(TRAINING, ROWS)

    assert bench().outcome is StepOutcome.ENDED
    assert (bench.error.code, "'beta'" in bench.error.message) == ("request_invalid", True)
    assert bench.found()["provider"] == "openai"


def test_hyperparameters_are_resolved_for_the_model() -> None:
    bench = Bench(hyperparameters={"epochs": 4})
    bench.objects.put(TRAINING, ROWS)
    bench()

    assert bench.job.hyperparameters == {"n_epochs": 4}


def test_a_hyperparameter_out_of_range_ends_the_job_before_its_file_is_read() -> None:
    bench = Bench(hyperparameters={"n_epochs": 99})
    bench.objects.put(TRAINING, ROWS)

    assert bench().outcome is StepOutcome.ENDED
    assert "n_epochs" in bench.error.message
    assert list(bench.objects.objects) == [TRAINING]


def test_a_validation_file_is_prepared_beside_the_training_file() -> None:
    bench = Bench(validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS)
    bench.objects.put(VALIDATION, ROWS)
    bench()

    assert bench.job.dataset is not None
    assert bench.job.dataset.validation_uri == f"s3://artifacts/jobs/{JOB_ID}/validation.jsonl"
    assert bench.job.dataset.validation_rows == 12


def test_training_and_validation_in_different_formats_are_refused() -> None:
    bench = Bench(validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS)
    bench.objects.put(VALIDATION, COMPLETIONS)

    assert bench().outcome is StepOutcome.ENDED
    assert "write both files in the same format" in bench.error.message
    [problem] = bench.found()["validation"]["problems"]
    assert problem["code"] == "formats_differ"


def test_a_model_without_validation_refuses_the_file_before_reading_it() -> None:
    bench = Bench(provider="bedrock", model="nova-2-lite", validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS)

    assert bench().outcome is StepOutcome.ENDED
    assert "takes no validation file" in bench.error.message


@pytest.mark.parametrize("name", ["train.jsonl", "train.jsonl.gz"])
def test_a_compressed_file_is_known_by_its_content_and_prepared_as_plain_rows(name: str) -> None:
    file = f"s3://inbox/inbox/openai/gpt-4.1-mini/{name}"
    bench = Bench(training_file=file)
    bench.objects.put(file, gzip.compress(ROWS))
    bench()

    assert bench.job.dataset is not None
    assert bench.job.dataset.training_uri == f"s3://artifacts/jobs/{JOB_ID}/training.jsonl"
    assert bench.objects.objects[bench.job.dataset.training_uri] == ROWS


def test_preference_pairs_are_prepared_with_their_own_hyperparameter() -> None:
    bench = Bench(hyperparameters={"beta": 0.2})
    bench.objects.put(TRAINING, PAIRS)

    assert bench().outcome is StepOutcome.READY
    assert bench.job.dataset is not None
    assert (bench.job.dataset.format, bench.job.dataset.training_rows) == ("preference", 12)
    assert bench.job.hyperparameters == {"beta": 0.2}


def test_a_format_that_is_declared_is_what_the_rows_must_have() -> None:
    bench = Bench(format="completion")
    bench.objects.put(TRAINING, ROWS)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.error.code == "dataset_invalid"
    assert bench.found()["training"]["problems_total"] == 12


def test_rows_that_come_twice_are_counted_in_the_report() -> None:
    bench = Bench(validation_file=VALIDATION)
    bench.objects.put(TRAINING, ROWS + chat(3))
    bench.objects.put(VALIDATION, ROWS + chat(99))
    bench()

    assert bench.found()["training"]["duplicates"] == {"rows": 1, "limit": 500_000, "first": [[13, 4]]}
    assert bench.found()["overlapping_rows"] == 12


class TestCost:
    def test_what_the_training_may_cost_is_on_the_record_and_in_the_report(self) -> None:
        bench = Bench(hyperparameters={"epochs": 2}, max_cost_usd=100)
        bench.objects.put(TRAINING, ROWS)

        assert bench().outcome is StepOutcome.READY
        assert bench.job.dataset is not None
        tokens, price = bench.found()["training"]["tokens"], bench.found()["price"]
        assert bench.job.dataset.estimated_tokens == tokens["tokens"] > 0
        assert bench.job.dataset.estimated_cost_usd == price["high_usd"]
        assert price["high_usd"] == pytest.approx(tokens["high"] * 2 * price["usd_per_million_tokens"] / 1e6, abs=1e-6)

    def test_a_job_above_its_limit_ends_with_the_estimate_in_its_report(self) -> None:
        bench = Bench(hyperparameters={"epochs": 2}, max_cost_usd=0.000001)
        bench.objects.put(TRAINING, ROWS)

        assert bench().outcome is StepOutcome.ENDED
        assert bench.error.code == "cost_limit"
        assert "nothing was sent" in bench.error.message
        assert bench.found()["price"]["high_usd"] > 0.000001
        assert bench.job.dataset is None

    def test_where_the_provider_chooses_the_epochs_the_most_that_it_may_cost_counts(self) -> None:
        bench = Bench()
        bench.objects.put(TRAINING, ROWS)
        bench()
        price = bench.found()["price"]
        assert bench.job.dataset is not None
        assert bench.job.dataset.estimated_cost_usd == price["high_usd"] > price["low_usd"]

        limited = Bench(max_cost_usd=(price["low_usd"] + price["high_usd"]) / 2)
        limited.objects.put(TRAINING, ROWS)
        assert limited().outcome is StepOutcome.ENDED
        assert limited.error.code == "cost_limit"

    def test_a_limit_that_is_met_is_kept(self) -> None:
        bench = Bench(hyperparameters={"epochs": 2})
        bench.objects.put(TRAINING, ROWS)
        bench()
        assert bench.job.dataset is not None

        limited = Bench(hyperparameters={"epochs": 2}, max_cost_usd=bench.job.dataset.estimated_cost_usd)
        limited.objects.put(TRAINING, ROWS)
        assert limited().outcome is StepOutcome.READY

    def test_an_unknown_price_is_above_every_limit(self) -> None:
        bench = Bench(provider="bedrock", model="nova-lite", max_cost_usd=1_000_000)
        bench.objects.put(TRAINING, ROWS)

        assert bench().outcome is StepOutcome.ENDED
        assert (bench.error.code, "price of this training is unknown" in bench.error.message) == ("cost_limit", True)
        assert "price" not in bench.found()

    def test_without_a_limit_an_unknown_price_is_no_obstacle(self) -> None:
        bench = Bench(provider="bedrock", model="nova-lite")
        bench.objects.put(TRAINING, ROWS)

        assert bench().outcome is StepOutcome.READY
        assert bench.job.dataset is not None
        assert bench.job.dataset.estimated_cost_usd is None

    def test_bad_rows_are_said_before_the_price(self) -> None:
        bench = Bench(max_cost_usd=0.000001)
        bench.objects.put(TRAINING, ROWS + b"{\n")
        bench()

        assert bench.error.code == "dataset_invalid"


def test_what_was_changed_or_is_worth_knowing_is_noted_on_the_record() -> None:
    bench = Bench(provider="bedrock", model="nova-lite", hyperparameters={"batch_size": 1})
    bench.objects.put(TRAINING, ROWS)
    bench()

    found = bench.found()
    assert found["notes"]
    assert found["training"]["notes"]
    assert bench.job.notes == (*found.get("warnings", []), *found["notes"], *found["training"]["notes"])


def test_the_record_holds_so_many_notes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings = [f"{number} {'x' * 5_000}" for number in range(300)]
    monkeypatch.setattr("tunedrop.training_data.dataset.warnings_of", lambda *_, **__: warnings)
    bench = Bench()
    bench.objects.put(TRAINING, ROWS)
    bench()

    notes = bench.job.notes
    assert len(notes) == 50
    assert (len(notes[0]), notes[0][-1]) == (1_000, "…")
    assert notes[-1] == "The report has 251 more notes."
    assert len(bench.found()["warnings"]) == 300


def test_a_file_that_is_not_there_yet_is_waited_for_and_then_given_up() -> None:
    bench = Bench()

    assert bench() == StepResult(job_id=JOB_ID, outcome=StepOutcome.WAITING, wait_seconds=15)
    bench.clock.advance(seconds=10 * 60)
    assert bench().wait_seconds == 30
    bench.clock.advance(seconds=5 * 60 - 10)
    assert bench().wait_seconds == 11, "no look comes much later than the last one that counts"
    bench.clock.advance(seconds=10)
    assert bench().outcome is StepOutcome.ENDED
    assert "train.jsonl did not arrive within 15 minutes" in bench.error.message


def test_an_upload_is_looked_for_rarely_and_its_job_is_not_started_before_it_is_there() -> None:
    bench = Bench(job_in(Phase.AWAITING_UPLOAD))

    assert bench() == StepResult(job_id=JOB_ID, outcome=StepOutcome.WAITING, wait_seconds=15)
    bench.clock.advance(hours=1)
    assert bench().wait_seconds == 900
    assert (bench.job.phase, bench.job.status) == (Phase.AWAITING_UPLOAD, JobStatus.NOT_STARTED)
    assert bench.job.version == 1

    bench.objects.put(TRAINING, ROWS)
    assert bench().outcome is StepOutcome.READY
    assert (bench.job.phase, bench.job.status) == (Phase.PREPARING, JobStatus.PENDING)
    assert [job.phase for job in bench.store.history] == [Phase.AWAITING_UPLOAD, Phase.PREPARING, Phase.PREPARING]


def test_an_upload_that_never_comes_is_given_up_after_a_day() -> None:
    bench = Bench(job_in(Phase.AWAITING_UPLOAD))
    bench.clock.advance(hours=24, seconds=-60)
    assert bench().wait_seconds == 61
    bench.clock.advance(seconds=60)

    assert bench().outcome is StepOutcome.ENDED
    assert "train.jsonl was not uploaded within 24 hours" in bench.error.message


def test_a_retry_brings_its_files_along_and_reads_nothing() -> None:
    bench = Bench(job_in(Phase.RECEIVED, dataset=DATASET, hyperparameters={"n_epochs": 3}))

    assert bench().outcome is StepOutcome.READY
    assert bench.job.phase is Phase.PREPARING
    assert bench.objects.objects == {}


def test_a_job_whose_execution_was_lost_while_it_trained_goes_on_where_it_was() -> None:
    bench = Bench(job_in(Phase.TRAINING, recoveries=1))
    job = bench.job

    assert bench().outcome is StepOutcome.READY
    assert bench.job == job


@pytest.mark.parametrize("phase", [Phase.RECEIVED, Phase.AWAITING_UPLOAD, Phase.PREPARING])
@pytest.mark.parametrize("there", [True, False])
def test_a_job_cancelled_before_its_file_was_read_ends_without_reading_it(phase: Phase, there: bool) -> None:
    bench = Bench(job_in(phase, cancel_requested_at=CREATED))
    if there:
        bench.objects.put(TRAINING, ROWS)

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED)
    assert bench.job.dataset is None
    assert list(bench.objects.objects) == ([TRAINING] if there else [])


def test_a_cancel_that_nobody_asked_for_says_why() -> None:
    cause = JobError(code="execution_aborted", message="Somebody stopped the execution.")
    bench = Bench(job_in(Phase.PREPARING, cancel_requested_at=CREATED, cancel_cause=cause))

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED, error=cause)


def test_a_cancel_while_the_file_is_read_ends_the_job_and_keeps_what_was_prepared() -> None:
    bench = Bench()
    bench.objects.put(TRAINING, ROWS)
    bench.during_the_look(lambda: bench.store.change(JOB_ID, cancelling))

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.phase is Phase.CANCELLING
    assert bench.job.outcome == Outcome(status=JobStatus.CANCELLED)
    assert bench.job.dataset is not None


def cancelling(job: Job) -> Job:
    return advance(job, Phase.CANCELLING, at=CREATED + timedelta(seconds=5), cancel_requested_at=CREATED)


def test_a_wake_up_during_the_look_is_not_taken_for_seen() -> None:
    bench = Bench(job_in(Phase.AWAITING_UPLOAD, wake_seq=7))
    bench.during_the_look(lambda: bench.store.wake(JOB_ID, at=CREATED))

    assert bench().wake_seq == 7
    assert bench.job.wake_seq == 8


def test_a_job_that_has_ended_is_left_alone() -> None:
    bench = Bench()
    outcome = Outcome(status=JobStatus.CANCELLED)
    bench.store.change(JOB_ID, lambda job: msgspec.structs.replace(job, version=job.version + 1, outcome=outcome))

    assert bench().outcome is StepOutcome.ENDED
    assert bench.job.outcome == outcome
