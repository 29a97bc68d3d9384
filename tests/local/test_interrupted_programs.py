"""Ctrl-C, at any moment, leaves no process and no port behind; nor does `make down`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local.api_client import ApiClient
from local.deployment import ROOT
from local.folder_lock import holder
from local.supervisor import Ready, read_ready
from tests.local.programs import Program, is_listening, run, running

QUICK_SECONDS = 10.0


def interrupt(program: Program, *, times: int = 1) -> None:
    """Ctrl-C, and an impatient second one; then nothing may be left, soon."""
    assert program.descendants()
    pressed = time.monotonic()
    for _ in range(times):
        program.press_ctrl_c()
        time.sleep(0.2)
    assert program.wait() == 130, program.output
    assert time.monotonic() - pressed < QUICK_SECONDS
    assert program.leftovers() == []


def test_ctrl_c_while_the_demo_deploys(tmp_path: Path) -> None:
    with running("local.demo", tmp_path) as demo:
        demo.wait_for_child(r"local\.emulator\.main")
        demo.wait_for_output(r"Deploying")
        demo.wait_for_child(r"cdk deploy")
        interrupt(demo)
        assert demo.ports
        assert demo.output.splitlines()[-1] == "demo: interrupted; everything it started has been stopped"


def test_ctrl_c_twice_while_the_demo_trains(tmp_path: Path) -> None:
    with running("local.demo", tmp_path) as demo:
        demo.wait_for_output(r"Deploying")
        demo.wait_for_child(r"cdk deploy")
        demo.wait_for_output(r"\btraining\b")
        interrupt(demo, times=2)
        assert demo.ports


def test_ctrl_c_while_the_guide_runs_its_blocks(tmp_path: Path) -> None:
    with running("local.guide", tmp_path) as guide:
        guide.wait_for_output(r"Deploying")
        guide.wait_for_child(r"cdk deploy")
        guide.wait_for_output(r"bedrock +block 1 ran")
        guide.wait_for_child(r"local\.guide_reader")
        interrupt(guide)
        assert guide.ports
        assert guide.output.splitlines()[-1] == "guide: interrupted; everything it started has been stopped"


def test_ctrl_c_while_up_starts_the_stack_stops_what_it_had_started(tmp_path: Path) -> None:
    with running("local.up", tmp_path) as up:
        up.wait_for_child(r"jsii-runtime")
        interrupt(up, times=2)
        assert up.ports
        assert holder(tmp_path) is None


def drop(ready: Ready) -> None:
    """A file, through the variables that `up` prints."""
    client = boto3.client(
        "s3",
        endpoint_url=ready.environment["AWS_ENDPOINT_URL"],
        region_name=ready.environment["AWS_REGION"],
        aws_access_key_id=ready.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ready.environment["AWS_SECRET_ACCESS_KEY"],
    )
    file = ROOT / "examples" / "support-chat.jsonl"
    client.upload_file(str(file), ready.outputs.inbox_bucket, "inbox/openai/gpt-4.1-mini/support-chat.jsonl")


def test_up_stays_and_says_how_to_use_it_and_down_stops_all_of_it(tmp_path: Path) -> None:
    with running("local.up", tmp_path) as up:
        try:
            assert up.wait() == 0, up.output
            ready = read_ready(tmp_path)
            assert ready
            for word in (
                f"export AWS_ENDPOINT_URL={ready.environment['AWS_ENDPOINT_URL']}\n",
                f"export TUNEDROP_URL={ready.environment['TUNEDROP_URL']}\n",
                f"export DATABRICKS_TOKEN={ready.environment['DATABRICKS_TOKEN']}\n",
                f"s3://{ready.outputs.inbox_bucket}/inbox/openai/gpt-4.1-mini/\n",
                f"--table-name {ready.outputs.jobs_table} ",
                f"--state-machine-arn {ready.outputs.openai_state_machine_arn}\n",
                f"s3://{ready.outputs.artifacts_bucket}/jobs/",
            ):
                assert word in up.output
            status, again = run("local.up", tmp_path)
            assert status == 0
            assert "It is up already." in again
            assert again.partition("\n\n")[2] == up.output.partition("\n\n")[2]
            drop(ready)
            [printed] = {word for word in up.output.split() if word.startswith("http") and word.endswith("/v1/jobs")}
            assert ApiClient(printed.removesuffix("/v1/jobs")).get("/v1/jobs").expect(200)["jobs"] is not None
            up.wait_for_child(r"local\.emulator\.main")
            assert all(is_listening(port) for port in up.ports)
        finally:
            status, output = run("local.down", tmp_path)
    assert (status, output) == (0, "Stopped: no process and no port is left.\n")
    assert up.ports
    assert up.leftovers() == []
    assert run("local.down", tmp_path) == (0, "Nothing is running.\n")


def test_up_that_fails_shows_the_end_of_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "aws").write_text("a file where a folder must be")
    with running("local.up", tmp_path) as up:
        assert up.wait() == 1
        assert "up failed: the stack has not come up. The end of " in up.output
        assert "aws" in up.output.partition("supervisor.log:")[2]
        assert up.leftovers() == []
        assert holder(tmp_path) is None


@pytest.fixture
def somebody() -> Iterator[int]:
    """A process that is not ours."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process.pid
        assert process.poll() is None
        process.kill()


def test_down_does_not_touch_the_process_whose_number_a_crash_left_behind(tmp_path: Path, somebody: int) -> None:
    (tmp_path / "lock").write_text(str(somebody))
    (tmp_path / "ready.json").write_text("{}")
    assert run("local.down", tmp_path) == (0, "Nothing is running.\n")
    assert read_ready(tmp_path) is None


def test_a_folder_in_use_is_refused_before_anything_in_it_is_touched(tmp_path: Path) -> None:
    template = tmp_path / "cdk.out" / "template.json"
    template.parent.mkdir()
    template.write_text("{}")
    hold = "import sys, time, pathlib; from local.folder_lock import take; take(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", f"{hold}; print(flush=True); time.sleep(60)", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as first:
        assert first.stdout
        first.stdout.readline()
        status, output = run("local.demo", tmp_path)
        first.kill()
    assert status == 1
    assert f"is in use by process {first.pid}: stop it first, or choose another folder" in output
    assert template.exists()
