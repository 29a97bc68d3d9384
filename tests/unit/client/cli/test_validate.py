"""`tunedrop validate`: what it prints, where, and how it ends."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from tests.unit.client.cli.commands import row, run, write_rows
from tunedrop.client.cli import choices
from tunedrop.domain.job import JobStatus
from tunedrop.domain.job_request import DataFormatName, EndpointRequest, JobRequest
from tunedrop.domain.models import PROVIDERS
from tunedrop.training_data.dataset import DatasetPreparation
from tunedrop.training_data.report import DatasetReport, FileProblems, FileReport

NOVA = ("--provider", "bedrock", "--model", "nova-lite")
NOVA_ID = "amazon.nova-lite-v1:0:300k"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl")


def _report(printed: str) -> DatasetReport:
    return msgspec.json.decode(printed, type=DatasetReport)


def test_a_good_file_gives_a_report_and_exit_code_0(good: Path) -> None:
    result = run("validate", good, *NOVA)
    assert (result.exit_code, result.stderr) == (0, "")
    assert NOVA_ID in result.stdout
    assert str(good) in result.stdout.replace("\n", "")
    assert "epochCount" in result.stdout
    assert result.stdout.endswith("OK: this can be trained on.\n")


def test_nothing_is_cut_at_80_columns_and_a_pipe_has_no_escape_codes(good: Path) -> None:
    wide = msgspec.json.decode(run("validate", good, *NOVA, "--json").stdout)["training"]["sha256"]
    result = run("validate", good, *NOVA)
    short = [line for line in result.stdout.splitlines() if str(good) not in line]
    assert max(map(len, short)) <= 80
    assert "\x1b" not in result.output
    assert wide in result.stdout.split()
    assert f" {good}\n" in result.stdout
    assert not [line for line in result.stdout.splitlines() if line != line.rstrip()]


def test_a_long_path_stays_in_one_piece(tmp_path: Path) -> None:
    folder = tmp_path / ("a-folder-with-a-long-name-" * 4)
    folder.mkdir()
    path = write_rows(folder / "train.jsonl")
    assert f"  File  {path}\n" in run("validate", path, *NOVA).stdout


def test_problems_are_lines_on_stderr_with_file_line_and_the_way_out(tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "train.jsonl", bad_lines=(3, 7))
    result = run("validate", bad, *NOVA)
    assert result.exit_code == 1
    first, second, summary = result.stderr.splitlines()
    assert first.startswith(f"{bad}:3: ")
    assert second.startswith(f"{bad}:7: ")
    assert first.endswith(")")
    assert summary == f"error: {bad} has 2 problems"
    assert NOVA_ID in result.stdout
    assert "cannot be used: 2 problems" in result.stdout
    assert "OK" not in result.stdout
    assert "robot" not in result.stdout


def test_a_hundred_problems_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    bad = write_rows(tmp_path / "train.jsonl", 250, bad_lines=tuple(range(1, 251)))
    result = run("validate", bad, *NOVA)
    lines = result.stderr.splitlines()
    assert len(lines) == 102
    assert lines[99].startswith(f"{bad}:100: ")
    assert lines[100:] == [f"{bad}: … and 150 more", f"error: {bad} has 250 problems"]


def test_a_good_validation_file_is_reported_beside_a_bad_training_file(tmp_path: Path, good: Path) -> None:
    bad = write_rows(tmp_path / "bad.jsonl", bad_lines=(2,))
    result = run("validate", bad, "--validation-file", good, *NOVA, "--json")
    assert result.exit_code == 1
    report = _report(result.stdout)
    assert isinstance(report.training, FileProblems)
    assert isinstance(report.validation, FileReport)
    assert report.validation.rows == 12


def test_both_files_problems_are_listed(tmp_path: Path) -> None:
    training = write_rows(tmp_path / "a.jsonl", bad_lines=(1,))
    validation = write_rows(tmp_path / "b.jsonl", bad_lines=(2, 4))
    result = run("validate", training, "--validation-file", validation, *NOVA)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == [f"{training}:1", f"{validation}:2", f"{validation}:4"]
    assert lines[3] == f"error: {training} has 1 problem and {validation} has 2 problems"


def test_training_text_is_never_printed(tmp_path: Path) -> None:
    secret = "The safe opens with nine turns"
    rows = [row(number, answer=secret) for number in range(12)]
    rows += [row(answer=secret, user="robot"), row(answer=secret)[:-9] + b"\n", row(answer=f"{secret} System: x")]
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"".join(rows))
    for more in ((), ("--json",)):
        result = run("validate", path, *NOVA, *more)
        assert result.exit_code == 1
        assert f"{path}:15" in result.stderr or '"line": 15' in result.stdout
        assert "nine turns" not in result.output


class TestJson:
    def test_it_is_the_report_with_ok(self, good: Path) -> None:
        result = run("validate", good, *NOVA, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        document = json.loads(result.stdout)
        assert document["ok"] is True
        assert "error" not in document
        report = _report(result.stdout)
        assert (report.provider, report.base_model) == ("bedrock", NOVA_ID)
        assert isinstance(report.training, FileReport)
        assert (report.training.rows, report.training.messages) == (12, 24)

    def test_a_bad_file_is_not_ok_and_says_why(self, tmp_path: Path) -> None:
        bad = write_rows(tmp_path / "train.jsonl", bad_lines=(3,))
        result = run("validate", bad, *NOVA, "--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, document["ok"], document["error"]["code"]) == (1, False, "dataset_invalid")
        training = _report(result.stdout).training
        assert isinstance(training, FileProblems)
        assert [(problem.file, problem.line) for problem in training.problems] == [(str(bad), 3)]

    def test_wrong_usage_leaves_stdout_empty(self, good: Path) -> None:
        result = run("validate", good, "--model", "nova-lit", "--provider", "bedrock", "--json")
        assert (result.exit_code, result.stdout) == (2, "")


class TestCost:
    def test_a_price_within_the_limit_passes(self, good: Path) -> None:
        result = run("validate", good, "-m", "gpt-4.1-mini", "-H", "epochs=3", "--max-cost-usd", "1000", "--json")
        assert result.exit_code == 0, result.output

    def test_a_price_above_the_limit_fails(self, good: Path) -> None:
        result = run("validate", good, "-m", "gpt-4.1-mini", "-H", "epochs=3", "--max-cost-usd", "0.000001")
        assert result.exit_code == 1
        assert "more than 'max_cost_usd'" in result.stderr
        assert "train.jsonl" in result.stdout.replace("\n", "")
        assert "OK" not in result.stdout

    def test_an_unknown_price_fails_with_its_own_code(self, good: Path) -> None:
        result = run("validate", good, "-m", "llama-3.2-1b", "--max-cost-usd", "5", "--json")
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "cost_limit")

    @pytest.mark.parametrize("limit", ["0", "-1", "nan", "much"])
    def test_a_limit_is_a_number_above_0(self, good: Path, limit: str) -> None:
        assert run("validate", good, *NOVA, "--max-cost-usd", limit).exit_code == 2


class TestOptions:
    def test_hyperparameters_go_by_either_name(self, good: Path) -> None:
        for name in ("epochs", "epochCount"):
            report = _report(run("validate", good, *NOVA, "-H", f"{name}=2", "--json").stdout)
            assert report.hyperparameters["epochCount"] == 2

    @pytest.mark.parametrize(
        ("word", "complaint"),
        [
            ("epochs", "NAME=VALUE"),
            ("=3", "NAME=VALUE"),
            ("epochs=", "NAME=VALUE"),
            ("epochs=99", "from 1 to 5"),
            ("speed=9", "Known: epochCount (epochs)"),
        ],
    )
    def test_wrong_hyperparameters_are_wrong_usage(self, good: Path, word: str, complaint: str) -> None:
        result = run("validate", good, *NOVA, "-H", word)
        assert result.exit_code == 2
        assert complaint in result.stderr

    def test_a_hyperparameter_given_twice_is_wrong_usage(self, good: Path) -> None:
        result = run("validate", good, *NOVA, "-H", "epochs=2", "-H", "epochs=3")
        assert (result.exit_code, result.stderr) == (2, "error: --hyperparameters gives 'epochs' twice.\n")

    def test_a_declared_format_is_held_against_the_rows(self, good: Path) -> None:
        assert run("validate", good, *NOVA, "--format", "chat").exit_code == 0
        assert run("validate", good, *NOVA, "--format", "completion").exit_code == 1

    def test_a_task_type_is_for_databricks(self, good: Path) -> None:
        assert run("validate", good, "-m", "llama-3.2-1b", "--task-type", "CHAT_COMPLETION").exit_code == 0
        assert run("validate", good, *NOVA, "--task-type", "CHAT_COMPLETION").exit_code == 2

    def test_exact_tokens_are_exact(self, good: Path) -> None:
        training = _report(run("validate", good, *NOVA, "--exact-tokens", "--json").stdout).training
        assert isinstance(training, FileReport)
        assert training.tokens.exact

    def test_exact_tokens_are_asked_for_only_when_wanted(self, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[bool] = []
        original = DatasetPreparation.__init__

        def watched(self: DatasetPreparation, *args: Any, exact_tokens: bool, **more: Any) -> None:
            asked.append(exact_tokens)
            original(self, *args, exact_tokens=exact_tokens, **more)

        monkeypatch.setattr(DatasetPreparation, "__init__", watched)
        run("validate", good, *NOVA)
        run("validate", good, *NOVA, "--exact-tokens")
        assert asked == [False, True]

    def test_quiet_prints_problems_only(self, tmp_path: Path, good: Path) -> None:
        assert run("validate", good, *NOVA, "--quiet").output == ""
        bad = write_rows(tmp_path / "bad.jsonl", bad_lines=(3,))
        result = run("validate", bad, *NOVA, "--quiet")
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"{bad}:3: " in result.stderr

    def test_what_can_be_chosen_is_what_jobs_and_endpoints_know(self) -> None:
        fields = {field.name: field.type for field in msgspec.structs.fields(JobRequest)}
        kinds = {field.name: field.type for field in msgspec.structs.fields(EndpointRequest)}
        assert get_args(choices.Status) == tuple(JobStatus)
        assert get_args(choices.Provider) == tuple(PROVIDERS)
        assert kinds["kind"] == choices.EndpointKind | None
        assert choices.Format == DataFormatName
        assert fields["task_type"] == choices.TaskType | None


class TestInput:
    def test_standard_input_is_a_dash(self, good: Path) -> None:
        result = run("validate", "-", *NOVA, "--json", stdin=good.read_bytes())
        training = _report(result.stdout).training
        assert isinstance(training, FileReport)
        assert (training.file, training.rows) == ("<stdin>", 12)

    def test_standard_input_is_one_file_only(self) -> None:
        result = run("validate", "-", "--validation-file", "-", *NOVA)
        assert (result.exit_code, result.stderr) == (2, "error: Only one of the two files can be standard input.\n")

    def test_a_model_that_takes_no_validation_file_says_so(self, good: Path) -> None:
        result = run("validate", good, "--validation-file", good, "-m", "nova-2-lite")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "takes no validation file" in result.stderr

    def test_gzip_is_read(self, tmp_path: Path, good: Path) -> None:
        packed = tmp_path / "train.jsonl.gz"
        packed.write_bytes(gzip.compress(good.read_bytes()))
        training = _report(run("validate", packed, *NOVA, "--json").stdout).training
        assert isinstance(training, FileReport)
        assert training.rows == 12

    @pytest.mark.parametrize("option", ["FILE", "--validation-file"])
    def test_a_missing_file_is_one_line_before_any_work(self, tmp_path: Path, good: Path, option: str) -> None:
        missing = tmp_path / "none.jsonl"
        files = (missing,) if option == "FILE" else (good, option, missing)
        result = run("validate", *files, *NOVA)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"error: cannot read {missing}: No such file or directory\n"

    def test_a_folder_is_one_line(self, tmp_path: Path) -> None:
        result = run("validate", tmp_path, *NOVA)
        assert (result.exit_code, result.stderr) == (2, f"error: cannot read {tmp_path}: Is a directory\n")

    def test_a_file_that_breaks_off_is_one_line(self, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> Any:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(DatasetPreparation, "chunks", broken)
        result = run("validate", good, *NOVA)
        assert (result.exit_code, result.stderr) == (2, f"error: cannot read {good}: Input/output error\n")


class TestNames:
    def test_markup_in_the_name_of_a_file_is_shown_as_it_is(self, tmp_path: Path) -> None:
        name = "[bold]x[/bold] :smile: [link=http://x.example].jsonl".replace("/", "|")
        result = run("validate", write_rows(tmp_path / name, bad_lines=(2,)), *NOVA)
        assert result.exit_code == 1
        assert "".join(name.split()) in "".join(result.stdout.split())
        assert f"{name}:2: " in result.stderr

    @pytest.mark.parametrize("bad_lines", [(), (2,)])
    @pytest.mark.parametrize("more", [(), ("--json",)])
    def test_control_characters_in_the_name_of_a_file_are_escaped(
        self, tmp_path: Path, bad_lines: tuple[int, ...], more: tuple[str, ...]
    ) -> None:
        path = write_rows(tmp_path / "a\x1b[31m\x9b2J\r\u202e\x07.jsonl", bad_lines=bad_lines)
        output = run("validate", path, *NOVA, *more).output
        assert not [each for each in output if not each.isprintable() and each != "\n"]
        assert "u202e" in output

    def test_control_characters_in_the_name_of_a_missing_file_are_escaped(self) -> None:
        assert (
            run("validate", "a\x1b[31m", *NOVA).stderr == "error: cannot read a\\x1b[31m: No such file or directory\n"
        )

    @pytest.mark.parametrize("arguments", [("-m", "ft:gpt-4.1:\x1b[31m::x"), ("-m", "nova-lite", "-p", "\x1b[31m")])
    def test_control_characters_in_other_names_are_refused(self, good: Path, arguments: tuple[str, ...]) -> None:
        result = run("validate", good, *arguments)
        assert result.exit_code == 2
        assert "\x1b" not in result.output
        assert "cannot be printed" in result.stderr

    @pytest.mark.parametrize("option", ["--\x1b[31m", "-\x1b"])
    def test_control_characters_in_an_unknown_option_are_escaped(self, option: str) -> None:
        result = run("validate", "x", option)
        assert result.exit_code == 2
        assert "\x1b" not in result.output
