"""A simulator of the OpenAI API on the wire: files, uploads, fine-tuning jobs, models and chat completions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

from local.simulators.control import add_controls
from local.simulators.faults import Fault, Faults
from local.simulators.openai import fields as fields
from local.simulators.openai import job_history as history
from local.simulators.openai.errors import no_such_job
from local.simulators.openai.files import LARGEST_FILE, Files, page
from local.simulators.openai.gate import Gate, json_body
from local.simulators.openai.job_requests import read_job_request
from local.simulators.openai.jobs import SimulatedJob, doom_of
from local.simulators.openai.models import Models
from local.simulators.openai.training_files import Problem, read_examples
from local.simulators.openai.uploads import LARGEST_PART, Uploads
from local.simulators.openai.webhooks import WebhookEndpoint, Webhooks
from local.simulators.pace import Pace


class OpenAISimulator:
    """One account. Serve `app`; the base URL for clients is the server's URL and `/v1`.

    Names of operations, for faults: `files.create`, `.list`, `.retrieve`, `.content`, `.delete`;
    `uploads.create`, `.complete`, `.cancel`; `uploads.parts.create`;
    `fine_tuning.jobs.create`, `.list`, `.retrieve`, `.cancel`, `.pause`, `.resume`, `.list_events`;
    `fine_tuning.jobs.checkpoints.list`; `models.list`, `.retrieve`, `.delete`; `chat.completions.create`;
    `webhooks.deliver`, whose faults WebhookEndpoint explains.
    A throttle whose message is `insufficient_quota` is answered as a used-up quota.
    `pace` may be changed at any time, for the jobs that are created from then on.
    """

    def __init__(
        self,
        *,
        api_key: str,
        pace: Pace | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
        largest_file: int = LARGEST_FILE,
        largest_part: int = LARGEST_PART,
    ) -> None:
        self.app = Flask("openai-simulator")
        self.faults = faults or Faults()
        self.pace = pace or Pace()
        self._clock = clock
        self._epoch = time.time() - clock()
        self._files = Files(now=self._now, largest=largest_file)
        self._uploads = Uploads(files=self._files, now=self._now, largest_part=largest_part)
        self._models = Models()
        self._jobs: dict[str, SimulatedJob] = {}
        self._gate = Gate(app=self.app, api_key=api_key, faults=self.faults, settle=self._settle)
        self._webhooks = Webhooks(jobs=self._jobs, lock=self._gate.lock, faults=self.faults)
        self._add_routes(self._gate)
        add_controls(self.app, self.faults, self)

    @property
    def job_ids(self) -> list[str]:
        """Every job that was ever created, oldest first."""
        with self._gate.lock:
            return list(self._jobs)

    @property
    def upload_statuses(self) -> list[str]:
        """Of every upload that was ever created, oldest first."""
        with self._gate.lock:
            return self._uploads.statuses

    def change_key(self, api_key: str) -> None:
        """From now on only `api_key` is accepted."""
        self._gate.api_key = api_key

    def cancel_in_console(self, job_id: str) -> None:
        """As somebody with the provider's own console would."""
        with self._gate.lock:
            self._jobs[job_id].cancel()

    def send_webhooks_to(self, url: str, secret: str, *, look_seconds: float = 0.1) -> WebhookEndpoint:
        """Tells `url` of every job that ends from now on, signed with `secret` (`whsec_` and base64), until `close`."""
        return self._webhooks.send_to(url, secret, look_seconds=look_seconds)

    def close(self) -> None:
        """Sends no more webhooks."""
        self._webhooks.close()

    def _now(self) -> int:
        return int(self._epoch + self._clock())

    def _add_routes(self, gate: Gate) -> None:
        files, uploads, models, jobs = self._files, self._uploads, self._models, "/fine_tuning/jobs"
        gate.route("POST", "/files", "files.create", lambda: files.create(request))
        gate.route("GET", "/files", "files.list", lambda: files.list(request.args))
        gate.route("GET", "/files/<file_id>", "files.retrieve", files.retrieve)
        gate.route("GET", "/files/<file_id>/content", "files.content", files.content)
        gate.route("DELETE", "/files/<file_id>", "files.delete", files.delete)
        gate.route("POST", "/uploads", "uploads.create", lambda: uploads.create(json_body()))
        gate.route("POST", "/uploads/<upload_id>/parts", "uploads.parts.create", self._add_part)
        gate.route("POST", "/uploads/<upload_id>/complete", "uploads.complete", self._complete_upload)
        gate.route("POST", "/uploads/<upload_id>/cancel", "uploads.cancel", uploads.cancel)
        gate.route("POST", jobs, "fine_tuning.jobs.create", self._create_job, takes_fault=True)
        gate.route("GET", jobs, "fine_tuning.jobs.list", self._list_jobs)
        gate.route("GET", f"{jobs}/<job_id>", "fine_tuning.jobs.retrieve", self._retrieve)
        gate.route("POST", f"{jobs}/<job_id>/cancel", "fine_tuning.jobs.cancel", self._change(SimulatedJob.cancel))
        gate.route("POST", f"{jobs}/<job_id>/pause", "fine_tuning.jobs.pause", self._change(SimulatedJob.pause))
        gate.route("POST", f"{jobs}/<job_id>/resume", "fine_tuning.jobs.resume", self._change(SimulatedJob.resume))
        gate.route("GET", f"{jobs}/<job_id>/events", "fine_tuning.jobs.list_events", self._list_events)
        gate.route("GET", f"{jobs}/<job_id>/checkpoints", "fine_tuning.jobs.checkpoints.list", self._list_checkpoints)
        gate.route("GET", "/models", "models.list", models.list)
        gate.route("GET", "/models/<path:name>", "models.retrieve", models.retrieve)
        gate.route("DELETE", "/models/<path:name>", "models.delete", models.delete)
        gate.route("POST", "/chat/completions", "chat.completions.create", self._chat)

    def _add_part(self, upload_id: str) -> Response:
        return self._uploads.add_part(upload_id, request)

    def _complete_upload(self, upload_id: str) -> Response:
        return self._uploads.complete(upload_id, json_body())

    def _settle(self) -> None:
        """Gives the jobs that have succeeded by now their models and result files."""
        for job in self._jobs.values():
            if job.published or job.status != "succeeded":
                continue
            job.published = True
            for name in history.models(job):
                self._models.add(name, job.examples, self._now())
            self._files.add(history.results(job))

    def _create_job(self, *, fault: Fault | None) -> Response:
        """Not idempotent: a repeated call makes a second job, as at the real service."""
        wanted = read_job_request(json_body(), files=self._files, tunable=self._models.tunable)
        examples = read_examples(wanted.training_file.content, param="training_file", method=wanted.method)
        problem = examples if isinstance(examples, Problem) else None
        if problem is None and wanted.validation_file is not None:
            checked = read_examples(wanted.validation_file.content, param="validation_file", method=wanted.method)
            problem = checked if isinstance(checked, Problem) else None
        job = SimulatedJob(
            request=wanted,
            examples=[*self._models.examples_of(wanted.model), *([] if isinstance(examples, Problem) else examples)],
            problem=problem,
            doom=doom_of(fault),
            pace=self.pace,
            clock=self._clock,
            epoch=self._epoch,
            created=self._clock(),
        )
        self._jobs[job.id] = job
        return jsonify(job.document())

    def _list_jobs(self) -> Response:
        """Newest first; `metadata[key]=value` must match in every pair, `metadata=null` asks for jobs without any."""
        wanted = {
            name.removeprefix("metadata[").removesuffix("]"): value
            for name, value in request.args.items()
            if name.startswith("metadata[")
        }
        without = request.args.get("metadata") == "null"
        found = [
            job.document()
            for job in reversed(self._jobs.values())
            if wanted.items() <= (job.request.metadata or {}).items() and not (without and job.request.metadata)
        ]
        return _page(found, default=20)

    def _retrieve(self, job_id: str) -> Response:
        return jsonify(self._job(job_id).document())

    def _change(self, change: Callable[[SimulatedJob], None]) -> Callable[[str], Response]:
        def carry_out(job_id: str) -> Response:
            change(self._job(job_id))
            return self._retrieve(job_id)

        return carry_out

    def _list_events(self, job_id: str) -> Response:
        return _page(history.events(self._job(job_id)), default=20)

    def _list_checkpoints(self, job_id: str) -> Response:
        return _page(history.checkpoints(self._job(job_id)), default=10)

    def _job(self, job_id: str) -> SimulatedJob:
        job = self._jobs.get(job_id)
        if job is None:
            raise no_such_job(job_id)
        return job

    def _chat(self) -> Response:
        return self._models.chat(json_body(), now=self._now())


def _page(documents: list[dict[str, Any]], *, default: int) -> Response:
    return page(documents, request.args, limit=fields.page_limit(request.args, default=default, high=100))
