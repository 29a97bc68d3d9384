"""The life of one simulated fine-tuning job: where it is follows from the time passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.simulators.answers import Example
from local.simulators.faults import Fault, FaultKind
from local.simulators.openai.errors import Refusal
from local.simulators.openai.files import new_id
from local.simulators.openai.job_requests import JobRequest
from local.simulators.openai.training_files import Problem
from local.simulators.pace import Pace, Stage

ORGANIZATION = "tunedrop"
_AUTO = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8, "beta": 0.1}
_STATUS_OF_STAGE = {
    Stage.VALIDATING: "validating_files",
    Stage.QUEUED: "queued",
    Stage.TRAINING: "running",
    Stage.FINISHED: "succeeded",
}
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(kw_only=True)
class SimulatedJob:
    """`created` is a reading of `clock`; `epoch` turns readings into Unix time."""

    request: JobRequest
    examples: list[Example]
    problem: Problem | None
    """What validation is going to find."""
    doom: str | None
    """The reason why this job fails half-way through its training."""
    pace: Pace
    clock: Callable[[], float]
    epoch: float
    created: float
    id: str = field(default_factory=lambda: new_id("ftjob-"))
    tail: str = field(default_factory=lambda: new_id("", 8))
    result_file: str = field(default_factory=lambda: new_id("file-", 22))
    published: bool = False
    """Whether its models and result file have been handed over."""
    announced: bool = False
    """Whether its end has been told by webhook, or came before anybody wanted to be told."""
    _cancelled_after: float | None = None
    _paused_at: float | None = None
    _paused_for: float = 0.0

    @property
    def tuned_model(self) -> str:
        base = self.request.model.split(":")[1] if self.request.model.startswith("ft:") else self.request.model
        return f"ft:{base}:{ORGANIZATION}:{self.request.suffix or ''}:{self.tail}"

    @property
    def elapsed(self) -> float:
        """Seconds of life; time stands still while the job is paused, and when it was cancelled."""
        if self._cancelled_after is not None:
            return self._cancelled_after
        now = self.clock() if self._paused_at is None else self._paused_at
        return now - self.created - self._paused_for

    @property
    def status(self) -> str:
        if self._cancelled_after is not None:
            return "cancelled"
        if self.elapsed >= self._fails_after:
            return "failed"
        return "paused" if self._paused_at is not None else _STATUS_OF_STAGE[self.pace.at(self.elapsed).stage]

    @property
    def training_from(self) -> float:
        return self.pace.validating + self.pace.queued

    @property
    def _fails_after(self) -> float:
        if self.problem is not None:
            return self.pace.validating
        return self.training_from + self.pace.training / 2 if self.doom is not None else float("inf")

    @property
    def ended_after(self) -> float:
        """Seconds of life at its end; of one that still runs, as planned."""
        if self._cancelled_after is not None:
            return self._cancelled_after
        return min(self._fails_after, self.training_from + self.pace.training)

    def unix(self, elapsed: float) -> int:
        """Unix time, `elapsed` seconds into the job's life."""
        return int(self.epoch + self.created + self._paused_for + elapsed)

    def cancel(self) -> None:
        self._refuse_if_ended("cancel")
        self._cancelled_after = self.elapsed

    def pause(self) -> None:
        self._refuse_if_ended("pause")
        if self._paused_at is not None:
            raise Refusal(f"Job {self.id} is already paused.", param="fine_tune_id")
        self._paused_at = self.clock()

    def resume(self) -> None:
        if self._paused_at is None:
            raise Refusal(f"Job {self.id} is not paused.", param="fine_tune_id")
        self._paused_for += self.clock() - self._paused_at
        self._paused_at = None

    def _refuse_if_ended(self, verb: str) -> None:
        if self.status in ENDED:
            raise Refusal(
                f"Cannot {verb} a job that has already {self.status}: {self.id}",
                param="fine_tune_id",
                code="invalid_job_state",
            )

    def error(self) -> dict[str, Any]:
        if self.status != "failed":
            return {"code": None, "message": None, "param": None}
        if self.problem is not None:
            return {"code": self.problem.code, "message": self.problem.message, "param": self.problem.param}
        return {"code": "server_error", "message": self.doom, "param": None}

    def hyperparameters(self) -> dict[str, Any]:
        """`auto` is replaced by what was chosen once the training runs."""
        started = self.elapsed >= self.training_from and self.problem is None
        return {
            name: _AUTO[name] if started and value == "auto" else value
            for name, value in self.request.hyperparameters.items()
        }

    def document(self) -> dict[str, Any]:
        status, method, hyperparameters = self.status, self.request.method, self.hyperparameters()
        succeeded = status == "succeeded"
        return {
            "object": "fine_tuning.job",
            "id": self.id,
            "model": self.request.model,
            "created_at": self.unix(-self._paused_for),
            "finished_at": self.unix(self.ended_after) if status in ENDED else None,
            "estimated_finish": self.unix(self.ended_after) if status == "running" else None,
            "fine_tuned_model": self.tuned_model if succeeded else None,
            "organization_id": f"org-{ORGANIZATION}",
            "result_files": [self.result_file] if succeeded else [],
            "status": status,
            "training_file": self.request.training_file.id,
            "validation_file": self.request.validation_file.id if self.request.validation_file else None,
            **({"hyperparameters": hyperparameters} if method == "supervised" else {}),
            "method": {"type": method, method: {"hyperparameters": hyperparameters}},
            "trained_tokens": self._tokens() if succeeded else None,
            "error": self.error(),
            "user_provided_suffix": self.request.suffix,
            "seed": self.request.seed,
            "integrations": [],
            "metadata": self.request.metadata,
        }

    def _tokens(self) -> int:
        """A token is about four bytes of text."""
        return len(self.request.training_file.content) // 4 * int(self.hyperparameters()["n_epochs"])

    def steps_done(self) -> int:
        return self.pace.at(min(self.elapsed, self.ended_after)).step if self.problem is None else 0


def doom_of(fault: Fault | None) -> str | None:
    """Why a job whose create call met `fault` is going to fail half-way; None where it is not."""
    if fault is None or fault.kind is not FaultKind.FAIL_JOB:
        return None
    return fault.message or "The job failed due to an internal error."
