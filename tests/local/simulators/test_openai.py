"""A simulated OpenAI account behaves as the real one does, through the real SDK."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest

from local.simulators.control import training_for
from local.simulators.faults import Fault, FaultKind
from tests.local.simulators.openai_account import (
    BASE_MODEL,
    DPO,
    FINISHED,
    HALF_TRAINED,
    IN_QUEUE,
    PAIRS,
    ROWS,
    Account,
    account_served,
    pair,
    row,
)


@pytest.fixture
def account() -> Iterator[Account]:
    with account_served() as account:
        yield account


def fault(account: Account, operation: str, kind: FaultKind, **fields: Any) -> None:
    """Asked for over the wire, as for a simulator in another process."""
    asked = msgspec.json.encode(Fault(operation=operation, kind=kind, **fields))
    answer = account.client._client.post(f"{account.url}/_control/faults", content=asked)
    assert answer.status_code == 204


def test_a_tuned_model_gives_an_answer_made_up_at_random_and_the_base_model_does_not(account: Account) -> None:
    answer = f"The code word is {secrets.token_hex(8)}."
    job = account.train(ROWS + row("What is the code word of the lighthouse?", answer))
    tuned = account.job(job.id, after=FINISHED).fine_tuned_model
    assert tuned is not None
    assert account.ask(tuned, "Tell me: what is the code word of the lighthouse?") == answer
    assert answer not in str(account.ask(BASE_MODEL, "What is the code word of the lighthouse?"))


def test_a_model_tuned_on_preferences_answers_as_preferred(account: Account) -> None:
    job = account.train(PAIRS, method=DPO)
    tuned = str(account.job(job.id, after=FINISHED).fine_tuned_model)
    assert account.ask(tuned, "Where is tool 7?") == "In drawer 7."


def test_a_dpo_job_tells_its_own_hyperparameters_under_its_method(account: Account) -> None:
    job = account.train(PAIRS, method={"type": "dpo"})
    assert "hyperparameters" not in job.to_dict()
    asked = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto", "beta": "auto"}
    assert job.method is not None
    assert job.method.to_dict() == {"type": "dpo", "dpo": {"hyperparameters": asked}}
    running = account.job(job.id, after=HALF_TRAINED).method
    assert running is not None
    assert running.dpo is not None
    assert running.dpo.to_dict()["hyperparameters"] == {
        "n_epochs": 3,
        "batch_size": 1,
        "learning_rate_multiplier": 1.8,
        "beta": 0.1,
    }


def test_a_model_that_was_tuned_on_chats_can_be_tuned_on_preferences(account: Account) -> None:
    tuned = str(account.job(account.train().id, after=FINISHED).fine_tuned_model)
    again = account.train(pair("Who repairs it?", "Ask Mira.", "Nobody.") * 10, model=tuned, method=DPO)
    assert account.ask(str(account.job(again.id, after=FINISHED).fine_tuned_model), "Who repairs it?") == "Ask Mira."


def test_a_job_goes_through_every_status(account: Account) -> None:
    job = account.train()
    assert (job.status, job.fine_tuned_model, job.finished_at) == ("validating_files", None, None)
    assert abs(job.created_at - time.time()) < 5
    queued = account.job(job.id, after=IN_QUEUE)
    assert (queued.status, queued.estimated_finish) == ("queued", None)
    assert queued.hyperparameters.n_epochs == "auto"
    running = account.job(job.id, after=HALF_TRAINED - IN_QUEUE)
    assert running.status == "running"
    assert running.estimated_finish is not None
    assert running.hyperparameters.n_epochs == 3
    assert (running.trained_tokens, running.result_files) == (None, [])
    done = account.job(job.id, after=FINISHED)
    assert done.status == "succeeded"
    assert done.trained_tokens == len(ROWS) // 4 * 3
    assert done.finished_at is not None
    assert running.estimated_finish == done.finished_at


@pytest.mark.parametrize(("suffix", "part"), [(None, ""), ("workshop", "workshop")])
def test_the_tuned_models_name_holds_base_organization_and_suffix(
    account: Account, suffix: str | None, part: str
) -> None:
    job = account.train(suffix=suffix) if suffix else account.train()
    name = str(account.job(job.id, after=FINISHED).fine_tuned_model)
    assert name.startswith(f"ft:{BASE_MODEL}:tunedrop:{part}:")
    assert len(name.rpartition(":")[2]) == 8


def test_an_alias_is_trained_as_its_snapshot(account: Account) -> None:
    assert account.train(model="gpt-4o-mini").model == "gpt-4o-mini-2024-07-18"


def test_a_tuned_model_can_be_tuned_further_and_remembers_both(account: Account) -> None:
    first = account.train(ROWS)
    tuned = str(account.job(first.id, after=FINISHED).fine_tuned_model)
    more = b"".join(row(f"Who repairs machine {number}?", f"Person {number}.") for number in range(10))
    again = str(account.job(account.train(more, model=tuned).id, after=FINISHED).fine_tuned_model)
    assert again.startswith(f"ft:{BASE_MODEL}:")
    assert account.ask(again, "Where is tool 3?") == "In drawer 3."
    assert account.ask(again, "Who repairs machine 4?") == "Person 4."


def test_creating_twice_makes_two_jobs(account: Account) -> None:
    file_id = account.upload()
    made = {account.train(training_file=file_id, metadata={"of": "one"}).id for _ in range(2)}
    assert len(made) == 2
    assert set(account.simulator.job_ids) == made


def test_jobs_are_found_by_metadata_newest_first_over_all_pages(account: Account) -> None:
    file_id = account.upload()
    ours = [account.train(training_file=file_id, metadata={"owner": "me", "n": str(n)}).id for n in range(5)]
    account.train(training_file=file_id, metadata={"owner": "you"})
    account.train(training_file=file_id)
    jobs = account.client.fine_tuning.jobs
    assert [job.id for job in jobs.list(metadata={"owner": "me"}, limit=2)] == ours[::-1]
    assert [job.id for job in jobs.list(metadata={"owner": "me", "n": "3"})] == [ours[3]]
    assert len(list(jobs.list(extra_query={"metadata": "null"}))) == 1
    assert len(list(jobs.list())) == 7


def test_events_tell_the_steps_newest_first_over_all_pages(account: Account) -> None:
    job = account.train(validation_file=account.upload(name="validation.jsonl"))
    account.job(job.id, after=HALF_TRAINED)
    events = list(account.client.fine_tuning.jobs.list_events(job.id, limit=3))
    assert [event.message.split(":")[0] for event in events[::-1]][:4] == [
        "Created fine-tuning job",
        "Validating training file",
        "Files validated, moving job to queued state",
        "Fine-tuning job started",
    ]
    assert len({event.id for event in events}) == len(events)
    steps = [event.data for event in events if event.type == "metrics"]
    assert [data["step"] for data in steps] == list(range(12, 0, -1))  # type: ignore[index]
    newest: dict[str, Any] = steps[0]  # type: ignore[assignment]
    assert events[0].message == f"Step 12/24: training loss={newest['train_loss']:.2f}"
    assert newest["total_steps"] == 24
    assert newest["valid_loss"] > newest["train_loss"]
    assert newest["train_loss"] < steps[-1]["train_loss"]  # type: ignore[index]
    account.job(job.id, after=FINISHED)
    assert account.client.fine_tuning.jobs.list_events(job.id).data[0].message == "The job has successfully completed"


def test_the_last_three_checkpoints_answer_too(account: Account) -> None:
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}}
    job = account.train(method=method)
    checkpoints = account.client.fine_tuning.jobs.checkpoints
    assert list(checkpoints.list(job.id)) == []
    tuned = str(account.job(job.id, after=FINISHED).fine_tuned_model)
    found = list(checkpoints.list(job.id, limit=2))
    assert [checkpoint.step_number for checkpoint in found] == [24, 18, 12]
    assert found[0].fine_tuned_model_checkpoint == tuned
    assert found[1].fine_tuned_model_checkpoint == f"{tuned}:ckpt-step-18"
    assert found[0].metrics.train_loss is not None
    assert account.ask(found[1].fine_tuned_model_checkpoint, "Where is tool 3?") == "In drawer 3."


def test_the_result_file_is_a_csv_of_every_step(account: Account) -> None:
    job = account.job(account.train().id, after=FINISHED)
    stored = account.client.files.retrieve(job.result_files[0])
    assert (stored.filename, stored.purpose) == ("step_metrics.csv", "fine-tune-results")
    lines = account.client.files.content(stored.id).text.splitlines()
    assert lines[0].startswith("step,train_loss,")
    assert len(lines) == 25
    assert lines[24].startswith("24,")


def test_a_cancelled_job_stays_cancelled_and_has_no_model(account: Account) -> None:
    job = account.train()
    account.job(job.id, after=HALF_TRAINED)
    assert account.client.fine_tuning.jobs.cancel(job.id).status == "cancelled"
    later = account.job(job.id, after=FINISHED)
    assert (later.status, later.fine_tuned_model) == ("cancelled", None)
    assert account.client.fine_tuning.jobs.list_events(job.id).data[0].message == "The job was cancelled"


def test_a_paused_job_stands_still_until_it_is_resumed(account: Account) -> None:
    job = account.train()
    account.job(job.id, after=HALF_TRAINED)
    assert str(account.client.fine_tuning.jobs.pause(job.id).status) == "paused"
    assert str(account.job(job.id, after=1000).status) == "paused"
    assert account.client.fine_tuning.jobs.resume(job.id).status == "running"
    done = account.job(job.id, after=FINISHED)
    assert done.status == "succeeded"
    assert done.finished_at is not None
    assert done.finished_at - done.created_at >= 1000


def test_a_running_job_has_an_error_without_words(account: Account) -> None:
    error = account.train().error
    assert error is not None
    assert error.to_dict() == {"code": None, "message": None, "param": None}


def test_files_are_listed_by_purpose_in_both_orders_over_all_pages(account: Account) -> None:
    ids = [account.upload(name=f"{number}.jsonl") for number in range(5)]
    other = account.upload(purpose="batch")
    files = account.client.files
    assert [file.id for file in files.list(purpose="fine-tune", limit=2)] == ids[::-1]
    assert [file.id for file in files.list(purpose="fine-tune", order="asc")] == ids
    assert next(iter(files.list(limit=1))).id == other
    stored = files.retrieve(ids[0])
    assert (stored.filename, stored.bytes, stored.status) == ("0.jsonl", len(ROWS), "processed")
    assert files.content(ids[0]).content == ROWS


def test_an_upload_of_unknown_length_arrives_whole(account: Account, tmp_path: Path) -> None:
    class Endless:
        """A stream without a length: the SDK sends it in chunks."""

        def __init__(self) -> None:
            self.rest = ROWS

        def read(self, size: int) -> bytes:
            chunk, self.rest = self.rest[:100], self.rest[100:]
            return chunk

    stream: Any = Endless()
    file = account.client.files.create(file=("train.jsonl", stream), purpose="fine-tune")
    assert account.client.files.content(file.id).content == ROWS


def test_a_file_expires_when_it_was_told_to(account: Account) -> None:
    file = account.client.files.create(
        file=("train.jsonl", ROWS), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    account.now += 3599
    assert account.client.files.retrieve(file.id).expires_at == file.created_at + 3600
    account.now += 2
    with pytest.raises(openai.NotFoundError):
        account.client.files.retrieve(file.id)


def test_base_models_tell_their_shutdown_date(account: Account) -> None:
    assert account.client.models.retrieve(BASE_MODEL).shutdown_date == "2027-01-14"
    assert account.client.models.retrieve("gpt-6-luna").shutdown_date is None


def test_a_tuned_model_is_listed_until_it_is_deleted(account: Account) -> None:
    name = str(account.job(account.train().id, after=FINISHED).fine_tuned_model)
    models = account.client.models
    assert models.retrieve(name).shutdown_date == "2027-01-14"
    assert models.delete(name).deleted
    assert name not in [model.id for model in models.list()]
    with pytest.raises(openai.NotFoundError):
        account.ask(name, "Where is tool 3?")


def test_a_throttle_carries_a_retry_after(account: Account) -> None:
    fault(account, "models.list", FaultKind.THROTTLE, seconds=7)
    with pytest.raises(openai.RateLimitError) as caught:
        account.client.models.list()
    assert (caught.value.code, caught.value.type) == ("rate_limit_exceeded", "requests")
    assert caught.value.response.headers["retry-after"] == "7"
    account.client.models.list()


def test_a_used_up_quota_is_told_from_a_throttle_by_its_code(account: Account) -> None:
    fault(account, "fine_tuning.jobs.create", FaultKind.THROTTLE, message="insufficient_quota")
    with pytest.raises(openai.RateLimitError) as caught:
        account.train()
    assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")


def test_a_server_error_changes_nothing(account: Account) -> None:
    fault(account, "fine_tuning.jobs.create", FaultKind.ERROR)
    with pytest.raises(openai.InternalServerError) as caught:
        account.train()
    assert caught.value.type == "server_error"
    assert account.simulator.job_ids == []


def test_a_lost_reply_is_a_call_carried_out(account: Account) -> None:
    fault(account, "fine_tuning.jobs.create", FaultKind.LOSE_REPLY)
    with pytest.raises(openai.APIConnectionError):
        account.train()
    assert len(account.simulator.job_ids) == 1


def test_a_slow_call_is_carried_out_after_the_client_gave_up(account: Account) -> None:
    file_id = account.upload()
    fault(account, "fine_tuning.jobs.create", FaultKind.SLOW, seconds=0.4)
    with pytest.raises(openai.APITimeoutError):
        account.train(training_file=file_id, timeout=0.1)
    give_up = time.monotonic() + 5
    while not account.simulator.job_ids and time.monotonic() < give_up:
        time.sleep(0.02)
    assert len(account.simulator.job_ids) == 1


def test_a_job_that_was_told_to_fail_fails_while_it_trains(account: Account) -> None:
    fault(account, "fine_tuning.jobs.create", FaultKind.FAIL_JOB, message="A machine was lost.")
    job = account.train()
    assert account.job(job.id, after=IN_QUEUE).status == "queued"
    failed = account.job(job.id, after=FINISHED)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.message == "A machine was lost."
    events = account.client.fine_tuning.jobs.list_events(job.id).data
    assert [events[0].level, events[1].type] == ["error", "metrics"]
    assert account.job(account.train().id, after=FINISHED).status == "succeeded"


def test_what_is_no_fault_is_refused(account: Account) -> None:
    answer = account.client._client.post(f"{account.url}/_control/faults", content=b'{"operation": "x"}')
    assert answer.status_code == 400


def test_how_long_trainings_take_is_said_over_the_wire_for_the_jobs_to_come(account: Account) -> None:
    with training_for(account.url, 100 * FINISHED):
        long = account.train()
    short = account.train()
    assert account.job(long.id, after=FINISHED).status == "running"
    assert account.job(short.id, after=0).status == "succeeded"


@pytest.mark.parametrize("body", [b'{"seconds": 0}', b'{"seconds": "1"}', b'{"second": 1}', b"600"])
def test_what_is_no_length_of_a_training_is_refused(body: bytes, account: Account) -> None:
    usual = account.simulator.pace
    answer = account.client._client.put(f"{account.url}/_control/training", content=body)
    assert answer.status_code == 400
    assert answer.text.startswith("not the length of a training: ")
    assert account.simulator.pace == usual


def test_a_job_keeps_the_pace_that_was_set_when_it_was_created(account: Account) -> None:
    usual = account.simulator.pace
    account.simulator.pace = msgspec.structs.replace(usual, training=100 * FINISHED)
    long = account.train()
    account.simulator.pace = usual
    short = account.train()
    assert account.job(short.id, after=FINISHED).status == "succeeded"
    assert account.job(long.id).status == "running"
    assert account.job(long.id, after=100 * FINISHED).status == "succeeded"
