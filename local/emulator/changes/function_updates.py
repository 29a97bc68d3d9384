"""A change of a function is for the invocations that begin after it.

AWS: those under way end with the code and the configuration that they began with.
MiniStack ends their processes, so that they fail.
https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from collections.abc import Collection
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator.changes.function_workers import FunctionWorker
from local.emulator.changing import edit, replace

_retired: list[FunctionWorker] = []
"""Workers that are ended after the invocation that they run. MiniStack's lock of its workers guards it."""


def retire(workers: Collection[Any]) -> None:
    """End these workers, which are in no pool any more: at once, or after what they run."""
    with lambda_runtime._lock:
        busy = [worker for worker in workers if worker.in_use and isinstance(worker, FunctionWorker)]
        _retired.extend(busy)
    lambda_runtime.kill_workers([worker for worker in workers if worker not in busy])


def apply() -> None:
    """Make the change, for the functions whose workers are ours."""
    edit(
        lambda_runtime,
        "invalidate_worker",
        ("kill_workers(doomed)", "_changed_retire(doomed)"),
        _changed_retire=retire,
    )
    replace(lambda_svc, "invalidate_worker", lambda_runtime.invalidate_worker)
    release = lambda_runtime.release_worker

    def release_worker(worker: Any) -> None:
        release(worker)
        with lambda_runtime._lock:
            is_over = worker in _retired
            if is_over:
                _retired.remove(worker)
        if is_over:
            lambda_runtime.kill_workers([worker])

    replace(lambda_runtime, "release_worker", release_worker)
