"""The events of Bedrock on EventBridge: `Model Customization Job State Change`.

https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-eventbridge-how-it-works.html
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.simulators.faults import FaultKind, Faults

OPERATION = "JobStateChangeEvent"
"""For faults: a slow event is told after its `seconds`, and one with any other fault is lost."""

Event = dict[str, Any]
_LOOK_SECONDS = 0.05
_logger = logging.getLogger(__name__)


class JobNews:
    """Notices changes of jobs' states, since nobody but the clock brings them about, and tells of each one once."""

    def __init__(
        self,
        tell: Callable[[Event], None],
        *,
        jobs: Callable[[Collection[str]], Iterable[tuple[str, Mapping[str, Any]]]],
        account_id: str,
        faults: Faults,
    ) -> None:
        """`jobs` gives the region and the description, as GetModelCustomizationJob would now, of every job but those
        whose ARNs it is given."""
        self._tell = tell
        self._jobs = jobs
        self._account_id = account_id
        self._faults = faults
        self._told: dict[str, str] = {}
        self._ended: set[str] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bedrock-news", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No event is told any more."""
        self._closed.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            for region, job in self._jobs(self._ended):
                if self._told.get(job["jobArn"]) == job["status"]:
                    continue
                self._told[job["jobArn"]] = job["status"]
                if "endTime" in job:
                    self._ended.add(job["jobArn"])
                self._deliver(state_change(job, region=region, account_id=self._account_id))

    def _deliver(self, event: Event) -> None:
        fault = self._faults.next_for(OPERATION)
        if (fault is not None and fault.kind is not FaultKind.SLOW) or self._closed.is_set():
            return
        try:
            self._tell(event)
        except Exception:
            # Delivery is best effort: an event that does not arrive is lost, and the next ones are told all the same.
            _logger.exception("An event of job %s was not delivered.", event["detail"]["jobName"])


def state_change(job: Mapping[str, Any], *, region: str, account_id: str) -> Event:
    """The event of a job's present state. `job` is described as by GetModelCustomizationJob."""
    detail = {
        "version": "0.0",
        "jobName": job["jobName"],
        "jobArn": job["jobArn"],
        "outputModelName": job["outputModelName"],
        "outputModelArn": job.get("outputModelArn"),
        "roleArn": job["roleArn"],
        "jobStatus": job["status"],
        "failureMessage": job.get("failureMessage"),
        "creationTime": _text(job["creationTime"]),
        "lastModifiedTime": _text(job["lastModifiedTime"]),
        "endTime": _text(job.get("endTime")),
        "baseModelArn": job["baseModelArn"],
        "hyperParameters": job["hyperParameters"],
        "trainingDataConfig": job["trainingDataConfig"],
        "validationDataConfig": job["validationDataConfig"],
        "outputDataConfig": job["outputDataConfig"],
    }
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Model Customization Job State Change",
        "source": "aws.bedrock",
        "account": account_id,
        "time": _text(datetime.now(UTC)),
        "region": region,
        "resources": [job["jobArn"]],
        "detail": {name: value for name, value in detail.items() if value is not None},
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
