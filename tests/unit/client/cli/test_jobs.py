"""`list`, `show`, `cancel`, `retry`, `report` and `endpoint`: what they print, and how they end."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.api.states import SUCCEEDED
from tests.builders import CREATED, ended, job_in
from tests.unit.client.cli.commands import run
from tests.unit.client.cli.conftest import Stack
from tunedrop.domain.endpoint import Endpoint, EndpointStatus
from tunedrop.domain.job import JobError, JobStatus, Phase, job_id_from
from tunedrop.http.endpoint_schemas import EndpointView
from tunedrop.http.job_schemas import JobView

OTHER = "abcdefghijklmnopqrstuvwxyz"
HOSTILE = "a\x1b[31mb\x07\u202ec"


class TestList:
    def test_jobs_are_lines_of_whole_values_with_tabs(self, stack: Stack) -> None:
        job_id = stack.hold(job_in(Phase.TRAINING))
        result = run("list")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == f"{job_id}\trunning\ttraining\topenai\tgpt-4.1-mini\t2026-11-22T09:00:00Z\n"

    def test_json_is_one_document_with_the_fields_of_the_api(self, stack: Stack) -> None:
        job_id = stack.hold("succeeded")
        document = json.loads(run("list", "--json").stdout)
        assert [job["job_id"] for job in document["jobs"]] == [job_id]
        assert document["jobs"][0]["created_at"] == "2026-11-22T09:00:00Z"

    def test_no_job_is_an_empty_list(self, stack: Stack) -> None:
        assert run("list").stdout == ""
        assert json.loads(run("list", "--json").stdout) == {"jobs": []}

    def test_status_and_provider_narrow_it(self, stack: Stack) -> None:
        failed, succeeded = stack.hold("failed"), stack.hold("succeeded")
        assert run("list", "--status", "failed").stdout.split()[0] == failed
        assert run("list", "--provider", "bedrock").stdout.split()[0] == succeeded
        assert run("list", "-s", "failed", "-p", "bedrock").stdout == ""

    def test_the_newest_twenty_are_shown_unless_more_are_asked_for(self, stack: Stack) -> None:
        for number in range(22):
            stack.hold(job_in(Phase.TRAINING, job_id=job_id_from("list", str(number))))
        assert len(run("list").stdout.splitlines()) == 20
        assert len(run("list", "--limit", "3").stdout.splitlines()) == 3
        assert len(run("list", "--all").stdout.splitlines()) == 22

    @pytest.mark.parametrize("wrong", [("--status", "done"), ("--provider", "azure"), ("--limit", "0")])
    def test_what_cannot_be_is_wrong_usage(self, stack: Stack, wrong: tuple[str, str]) -> None:
        result = run("list", *wrong)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith("error: Invalid value for")


class TestShow:
    def test_a_job_is_shown_whole_at_80_columns(self, stack: Stack) -> None:
        job_id = stack.hold("succeeded")
        result = run("show", job_id)
        assert (result.exit_code, result.stderr) == (0, "")
        words = result.stdout.split()
        assert {job_id, "succeeded", SUCCEEDED.tuned_model, "bedrock"} <= set(words)
        broken = [line for line in result.stdout.splitlines() if len(line) > 80 and len(line.split()) > 3]
        assert not broken

    def test_a_failed_job_says_why_in_the_providers_words(self, stack: Stack) -> None:
        assert "the gradient exploded (training_failed)" in run("show", stack.hold("failed")).stdout

    def test_json_has_every_field_of_the_api(self, stack: Stack) -> None:
        document = json.loads(run("show", stack.hold("succeeded"), "--json").stdout)
        assert set(document) == set(JobView.model_fields)

    def test_refresh_has_the_provider_asked(self, stack: Stack) -> None:
        job_id = stack.hold("training")
        assert run("show", job_id, "--refresh").exit_code == 0
        asked = [event["queryStringParameters"] for event in stack.gateway.events]
        assert {"refresh": "true"} in asked

    def test_control_characters_from_the_stack_are_escaped(self, stack: Stack) -> None:
        error = JobError(code="training_failed", message=HOSTILE)
        job_id = stack.hold(ended(JobStatus.FAILED, error=error, notes=(HOSTILE,), provider_job_id=HOSTILE))
        for arguments in (("show", job_id), ("show", job_id, "--json"), ("watch", job_id), ("list", "--json")):
            output = run(*arguments).output
            assert not [each for each in output if not each.isprintable() and each not in "\n\t"]
            assert "u202e" in output

    def test_a_job_that_is_not_there_is_one_line_and_code_3(self, stack: Stack) -> None:
        result = run("show", OTHER)
        assert (result.exit_code, result.stdout) == (3, "")
        assert result.stderr == f"error: There is no job {OTHER}.\n"

    def test_a_word_that_is_no_id_is_told_without_a_question(self, stack: Stack) -> None:
        result = run("show", "my-job")
        assert (result.exit_code, stack.gateway.events) == (3, [])
        assert "26 characters" in result.stderr


class TestCancel:
    def test_a_running_job_is_cancelling(self, stack: Stack) -> None:
        job_id = stack.hold("training")
        result = run("cancel", job_id)
        assert (result.exit_code, result.stdout) == (0, f"{job_id}: running (cancelling)\n")
        assert stack.account.jobs.get(job_id).cancel_requested_at is not None

    def test_json_is_the_job(self, stack: Stack) -> None:
        job_id = stack.hold("queued")
        document = json.loads(run("cancel", job_id, "--json").stdout)
        assert (document["job_id"], document["phase"]) == (job_id, "cancelling")

    def test_a_job_that_ended_otherwise_is_refused(self, stack: Stack) -> None:
        result = run("cancel", stack.hold("failed"))
        assert (result.exit_code, result.stdout) == (3, "")
        assert "ended as failed" in result.stderr


class TestRetry:
    def test_the_new_id_is_printed(self, stack: Stack) -> None:
        old = stack.hold("failed")
        result = run("retry", old)
        assert (result.exit_code, result.stderr) == (0, "")
        assert stack.account.jobs.get(result.stdout.strip()).retry_of == old

    def test_json_is_the_new_job(self, stack: Stack) -> None:
        old = stack.hold("cancelled")
        assert json.loads(run("retry", old, "--json").stdout)["retry_of"] == old

    def test_a_job_that_succeeded_is_refused(self, stack: Stack) -> None:
        assert run("retry", stack.hold("succeeded")).exit_code == 3


class TestReport:
    @pytest.fixture
    def job_id(self, stack: Stack) -> str:
        return stack.hold(ended(JobStatus.SUCCEEDED, report_uri="s3://artifacts/jobs/x/report.json"))

    def _write(self, stack: Stack, dataset: object) -> None:
        document = {"job": {"job_id": OTHER}, "dataset": dataset}
        stack.account.put("s3://artifacts/jobs/x/report.json", msgspec.json.encode(document))

    def test_it_is_read_from_s3_and_shown_as_validate_shows_it(self, stack: Stack, job_id: str) -> None:
        problem = {"code": "role_unknown", "message": "messages[0].role is 'robot'", "file": "t.jsonl", "line": 3}
        training = {"verdict": "unusable", "file": "t.jsonl", "problems": [problem], "problems_total": 1}
        self._write(stack, {"provider": "openai", "base_model": "gpt-4.1-mini", "training": training})
        result = run("report", job_id)
        assert (result.exit_code, result.stderr) == (0, "")
        assert job_id in result.stdout
        assert "cannot be used: 1 problem" in result.stdout
        assert "t.jsonl:3: messages[0].role is 'robot' [role_unknown]" in " ".join(result.stdout.split())

    def test_json_is_the_file_as_it_lies_there(self, stack: Stack, job_id: str) -> None:
        self._write(stack, {"of": "another version"})
        document = json.loads(run("report", job_id, "--json").stdout)
        assert document == {"job": {"job_id": OTHER}, "dataset": {"of": "another version"}}

    @pytest.mark.parametrize(
        ("dataset", "words"), [(None, "ended before its files were read"), ({"of": 1}, "only be shown with --json")]
    )
    def test_what_cannot_be_shown_is_said(self, stack: Stack, job_id: str, dataset: object, words: str) -> None:
        self._write(stack, dataset)
        result = run("report", job_id)
        assert (result.exit_code, words in result.stdout) == (0, True)

    def test_a_job_that_runs_has_none_yet(self, stack: Stack) -> None:
        result = run("report", stack.hold("training"))
        assert (result.exit_code, result.stdout) == (3, "")
        assert "at its end" in result.stderr


class TestEndpoint:
    def test_show_says_what_to_call_and_what_it_costs(self, stack: Stack) -> None:
        job_id = stack.hold("endpoint ready")
        result = run("endpoint", "show", job_id)
        assert result.exit_code == 0
        assert f"bedrock/converse/{SUCCEEDED.tuned_model}" in result.stdout.split()
        assert "Nothing an hour." in result.stdout

    def test_json_has_every_field_of_the_api(self, stack: Stack) -> None:
        document = json.loads(run("endpoint", "show", stack.hold("endpoint ready"), "--json").stdout)
        assert set(document) == set(EndpointView.model_fields)

    def test_start_comes_back_at_once_if_asked_to(self, stack: Stack) -> None:
        document = json.loads(run("endpoint", "start", stack.hold("succeeded"), "--no-wait", "--json").stdout)
        assert (document["status"], document["kind"]) == ("starting", "on_demand")

    def test_start_takes_kind_units_and_hours(self, stack: Stack) -> None:
        options = ("--kind", "provisioned", "--model-units", "2", "--ttl-hours", "4", "--no-wait", "--json")
        document = json.loads(run("endpoint", "start", stack.hold("succeeded"), *options).stdout)
        assert (document["kind"], document["model_units"], document["ttl_hours"]) == ("provisioned", 2, 4.0)

    def test_start_waits_until_it_is_up(self, stack: Stack) -> None:
        job_id = stack.hold("succeeded")
        stack.meanwhile = [lambda: None, lambda: _serve(stack, job_id, "ready")]
        document = json.loads(run("endpoint", "start", job_id, "--json").stdout)
        assert document["status"] == "ready"

    def test_one_that_does_not_come_up_ends_with_1(self, stack: Stack) -> None:
        job_id = stack.hold("succeeded")
        stack.meanwhile = [lambda: _serve(stack, job_id, "failed")]
        result = run("endpoint", "start", job_id)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no capacity" in result.stderr

    def test_a_wait_that_takes_too_long_ends_with_5(self, stack: Stack) -> None:
        result = run("endpoint", "start", stack.hold("succeeded"), "--timeout", "0")
        assert (result.exit_code, result.stdout) == (5, "")
        assert "goes on" in result.stderr

    def test_stop(self, stack: Stack) -> None:
        document = json.loads(run("endpoint", "stop", stack.hold("endpoint ready"), "--no-wait", "--json").stdout)
        assert document["status"] == "stopping"

    def test_a_kind_that_nobody_has_is_wrong_usage(self, stack: Stack) -> None:
        assert run("endpoint", "start", OTHER, "--kind", "gpu").exit_code == 2

    def test_an_interrupt_says_that_it_goes_on(self, stack: Stack) -> None:
        def interrupt() -> None:
            raise KeyboardInterrupt

        job_id = stack.hold("succeeded")
        stack.meanwhile = [interrupt]
        result = run("endpoint", "start", job_id)
        assert (result.exit_code, result.stdout) == (130, "")
        assert f"\nerror: interrupted, but the endpoint goes on: tunedrop endpoint show {job_id}\n" == result.stderr


def _serve(stack: Stack, job_id: str, status: str) -> None:
    def change(endpoint: Endpoint) -> Endpoint:
        error = JobError(code="endpoint_failed", message="no capacity") if status == "failed" else None
        return msgspec.structs.replace(
            endpoint, status=EndpointStatus(status), error=error, version=endpoint.version + 1, updated_at=CREATED
        )

    stack.account.endpoints.change(job_id, change)
