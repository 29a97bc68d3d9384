"""A run of the Jobs API as Tunedrop sees it. Words are kept as they came, so that a new one can be logged."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tunedrop.domain.provider_ports import ProviderState

LIFECYCLE: Mapping[str, ProviderState] = {
    "BLOCKED": ProviderState.QUEUED,
    "PENDING": ProviderState.QUEUED,
    "QUEUED": ProviderState.QUEUED,
    "WAITING": ProviderState.QUEUED,
    "WAITING_FOR_RETRY": ProviderState.QUEUED,
    "RUNNING": ProviderState.TRAINING,
    # A run passes through TERMINATING however it ends; it is being stopped only where its code says so.
    "TERMINATING": ProviderState.TRAINING,
    "INTERNAL_ERROR": ProviderState.FAILED,
    "SKIPPED": ProviderState.FAILED,
}
"""By `status.state` and by the older `state.life_cycle_state`. TERMINATED is not here: how is a matter of ENDS."""

ENDS: Mapping[str, ProviderState] = {
    "SUCCESS": ProviderState.SUCCEEDED,
    "USER_CANCELED": ProviderState.CANCELLED,
    # The platform's own doing, such as a run that exceeded its longest duration.
    "CANCELED": ProviderState.FAILED,
    "BREAKING_CHANGE": ProviderState.FAILED,
    "BUDGET_POLICY_LIMIT_EXCEEDED": ProviderState.FAILED,
    "CLOUD_FAILURE": ProviderState.FAILED,
    "CLUSTER_ERROR": ProviderState.FAILED,
    "CLUSTER_REQUEST_LIMIT_EXCEEDED": ProviderState.FAILED,
    "DISABLED": ProviderState.FAILED,
    "DRIVER_ERROR": ProviderState.FAILED,
    "FEATURE_DISABLED": ProviderState.FAILED,
    "INTERNAL_ERROR": ProviderState.FAILED,
    "INVALID_CLUSTER_REQUEST": ProviderState.FAILED,
    "INVALID_RUN_CONFIGURATION": ProviderState.FAILED,
    "LIBRARY_INSTALLATION_ERROR": ProviderState.FAILED,
    "MAX_CONCURRENT_RUNS_EXCEEDED": ProviderState.FAILED,
    "MAX_JOB_QUEUE_SIZE_EXCEEDED": ProviderState.FAILED,
    "MAX_SPARK_CONTEXTS_EXCEEDED": ProviderState.FAILED,
    "REPOSITORY_CHECKOUT_FAILED": ProviderState.FAILED,
    "RESOURCE_NOT_FOUND": ProviderState.FAILED,
    "RUN_EXECUTION_ERROR": ProviderState.FAILED,
    "SKIPPED": ProviderState.FAILED,
    "STORAGE_ACCESS_ERROR": ProviderState.FAILED,
    "SUCCESS_WITH_FAILURES": ProviderState.FAILED,
    "UNAUTHORIZED_ERROR": ProviderState.FAILED,
    "WORKSPACE_RUN_LIMIT_EXCEEDED": ProviderState.FAILED,
}
"""By `status.termination_details.code`."""

TYPES: Mapping[str, ProviderState] = {
    # The registered model, not the word, then decides whether it succeeded.
    "SUCCESS": ProviderState.SUCCEEDED,
    "CLIENT_ERROR": ProviderState.FAILED,
    "INTERNAL_ERROR": ProviderState.FAILED,
    "CLOUD_FAILURE": ProviderState.FAILED,
}
"""By `status.termination_details.type`, for a code that is not in ENDS: an ended run stays ended."""

RESULTS: Mapping[str, ProviderState] = {
    "SUCCESS": ProviderState.SUCCEEDED,
    "CANCELED": ProviderState.CANCELLED,
    "DISABLED": ProviderState.FAILED,
    "EXCLUDED": ProviderState.FAILED,
    "FAILED": ProviderState.FAILED,
    "MAXIMUM_CONCURRENT_RUNS_REACHED": ProviderState.FAILED,
    "SUCCESS_WITH_FAILURES": ProviderState.FAILED,
    "TIMEDOUT": ProviderState.FAILED,
    "UPSTREAM_CANCELED": ProviderState.FAILED,
    "UPSTREAM_FAILED": ProviderState.FAILED,
}
"""By the older `state.result_state`."""

_STOPPING = frozenset({"USER_CANCELED", "CANCELED"})


class _Termination(msgspec.Struct, frozen=True):
    code: str = ""
    type: str = ""
    message: str = ""


class _Status(msgspec.Struct, frozen=True):
    state: str = ""
    termination_details: _Termination = _Termination()


class _LegacyState(msgspec.Struct, frozen=True):
    life_cycle_state: str = ""
    result_state: str = ""
    state_message: str = ""


class _Task(msgspec.Struct, frozen=True):
    run_id: int


class _Parameter(msgspec.Struct, frozen=True):
    name: str
    value: str | None = None
    default: str | None = None


class Run(msgspec.Struct, frozen=True):
    """The parts of `runs/get` that matter here, whichever of `status` and `state` the workspace sends."""

    run_id: int
    start_time: int = 0
    """Milliseconds since 1970."""
    status: _Status | None = None
    state: _LegacyState | None = None
    tasks: tuple[_Task, ...] = ()
    job_parameters: tuple[_Parameter, ...] = ()

    def parameter(self, name: str) -> str:
        """What the run was given for a job parameter; empty when it is not known."""
        found = next((one for one in self.job_parameters if one.name == name), None)
        return "" if found is None else (found.value or found.default or "")

    @property
    def provider_state(self) -> ProviderState:
        if self.status is not None and self.status.state:
            end = self.status.termination_details
            if self.status.state == "TERMINATED":
                return ENDS.get(end.code) or TYPES.get(end.type) or self._legacy_provider_state
            if self.status.state == "TERMINATING" and end.code in _STOPPING:
                return ProviderState.STOPPING
            return LIFECYCLE.get(self.status.state, ProviderState.UNKNOWN)
        return self._legacy_provider_state

    @property
    def _legacy_provider_state(self) -> ProviderState:
        if self.state is None:
            return ProviderState.UNKNOWN
        if self.state.life_cycle_state == "TERMINATED":
            return RESULTS.get(self.state.result_state, ProviderState.UNKNOWN)
        return LIFECYCLE.get(self.state.life_cycle_state, ProviderState.UNKNOWN)

    @property
    def raw_status(self) -> str:
        """Databricks' own words, such as RUNNING or TERMINATED/USER_CANCELED."""
        if self.status is not None and self.status.state:
            words = (self.status.state, self.status.termination_details.code)
        elif self.state is not None:
            words = (self.state.life_cycle_state, self.state.result_state)
        else:
            words = ("", "")
        return "/".join(word for word in words if word) or "(no status)"

    @property
    def end_code(self) -> str:
        """The termination code, or the older result; empty while the run goes on."""
        return self.raw_status.partition("/")[2] or self.raw_status

    @property
    def end_message(self) -> str:
        if self.status is not None and self.status.termination_details.message:
            return self.status.termination_details.message
        return self.state.state_message if self.state is not None else ""
