"""Amazon Bedrock, as far as a fine-tuning job needs it: its control plane and `Converse`, on one port.

The operations of both services have paths of their own, so that `endpoint_url` is the same for both clients.
Faults name operations as botocore's service models do, such as `CreateModelCustomizationJob`.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel
from flask import Flask, Response, request

from local.simulators.bedrock.account import Account
from local.simulators.bedrock.constraints import violations
from local.simulators.bedrock.errors import Refusal, json_response, refusal_response
from local.simulators.bedrock.news import Event, JobNews
from local.simulators.bedrock.operations import OPERATIONS, RegionalServices
from local.simulators.bedrock.region import Region
from local.simulators.bedrock.requests import RequestReader
from local.simulators.control import add_controls
from local.simulators.faults import Fault, FaultKind, Faults
from local.simulators.pace import Pace
from local.simulators.serving import lose_reply

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?.*Signature=\w+"
)
_FAILED = "It failed for no particular reason."


class BedrockSimulator:
    """Keeps state in memory. `access_keys` may be changed at any time; the signature itself is not verified.

    `pace` too, for the jobs that are created from then on.
    """

    def __init__(
        self,
        *,
        account: Account,
        access_keys: Iterable[str],
        account_id: str = "000000000000",
        pace: Pace | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.monotonic,
        most_jobs: int = 20,
        most_units: int = 4,
        on_job_state_change: Callable[[Event], None] | None = None,
    ) -> None:
        """`most_jobs`, `most_units`: the quotas of customization jobs in progress, and of model units without
        commitment, in a region. `on_job_state_change` is given EventBridge's events, in a thread of their own that
        runs until `close`."""
        self.access_keys = set(access_keys)
        self.faults = faults or Faults()
        self._account = account
        self._account_id = account_id
        self.pace = pace or Pace()
        self._clock = clock
        self._most_jobs = most_jobs
        self._most_units = most_units
        self._origin = (datetime.now(UTC), clock())
        self._lock = threading.Lock()
        self._regions: dict[str, RegionalServices] = {}
        self._reader = RequestReader(
            {"bedrock": [name for name in OPERATIONS if name != "Converse"], "bedrock-runtime": ["Converse"]}
        )
        self.app = Flask(__name__)
        add_controls(self.app, self.faults, self)
        self.app.add_url_rule("/<path:_path>", "serve", self._serve, methods=["GET", "POST", "PATCH", "DELETE"])

        self._news: JobNews | None = None
        if on_job_state_change is not None:
            self._news = JobNews(
                on_job_state_change, jobs=self._described_jobs, account_id=account_id, faults=self.faults
            )

    def close(self) -> None:
        """Ends the thread that tells of jobs' states, where there is one."""
        if self._news is not None:
            self._news.close()

    @property
    def jobs_created(self) -> int:
        with self._lock:
            return sum(len(services.jobs) for services in self._regions.values())

    def _described_jobs(self, besides: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
        with self._lock:
            return [
                (name, _without_nulls(job))
                for name, services in self._regions.items()
                for job in services.jobs.descriptions(besides=besides)
            ]

    def _serve(self, _path: str) -> Response:
        fault: Fault | None = None
        try:
            raw_path = request.environ["RAW_URI"].partition("?")[0]
            operation, labels = self._reader.match(request.method, raw_path)
            region = self._authorized_region()
            fault = self.faults.next_for(operation.name)
            _refuse_by_fault(fault)
            members = self._reader.read(operation, labels, request.args, request.get_data())
            response = self._carry_out(operation, members, region, fault)
        except Refusal as refusal:
            return refusal_response(refusal, retry_after=_retry_after(fault))
        return lose_reply() if fault and fault.kind is FaultKind.LOSE_REPLY else response

    def _carry_out(
        self, operation: OperationModel, members: Mapping[str, Any], region: str, fault: Fault | None
    ) -> Response:
        failure = _failure(operation, fault)
        with self._lock:
            services = self._regions.get(region) or self._open(region)
            services.settle()
            answer = _without_nulls(OPERATIONS[operation.name](services, members, failure))
        wrong = list(violations(operation.output_shape, answer)) if operation.output_shape else []
        if wrong:
            raise RuntimeError(f"The simulator's own answer is not Bedrock's: {wrong}")
        return json_response(answer, status=operation.http["responseCode"])

    def _open(self, name: str) -> RegionalServices:
        started, zero = self._origin
        region = Region(
            name,
            account_id=self._account_id,
            account=self._account,
            pace=lambda: self.pace,
            started=started,
            elapsed=lambda: self._clock() - zero,
        )
        self._regions[name] = RegionalServices(region, most_jobs=self._most_jobs, most_units=self._most_units)
        return self._regions[name]

    def _authorized_region(self) -> str:
        header = request.headers.get("Authorization")
        if not header:
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        found = _CREDENTIAL.fullmatch(header)
        if not found:
            raise Refusal("IncompleteSignatureException", "The request signature does not conform to AWS standards.")
        key, region, service = found.groups()
        if service != "bedrock":
            raise Refusal("InvalidSignatureException", "Credential should be scoped to correct service: 'bedrock'.")
        if key not in self.access_keys:
            raise Refusal("UnrecognizedClientException", "The security token included in the request is invalid.")
        return region


def _refuse_by_fault(fault: Fault | None) -> None:
    if fault and fault.kind is FaultKind.THROTTLE:
        raise Refusal("ThrottlingException", "Too many requests, please wait before trying again.")
    if fault and fault.kind is FaultKind.ERROR:
        raise Refusal(
            "InternalServerException", "Encountered an unexpected error when processing the request, please try again"
        )


def _failure(operation: OperationModel, fault: Fault | None) -> str | None:
    if fault is None or fault.kind is not FaultKind.FAIL_JOB:
        return None
    return fault.message or (_FAILED if operation.name.startswith("Create") else "")


def _retry_after(fault: Fault | None) -> float:
    return fault.seconds if fault and fault.kind is FaultKind.THROTTLE else 0.0


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
