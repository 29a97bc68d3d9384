"""How a state that starts an execution of another machine fails.

AWS: the error's name has the service before it and `Exception` behind it:
`StepFunctions.ExecutionAlreadyExistsException`.
MiniStack: the bare code, `ExecutionAlreadyExists`, which a Catch or Retry written for AWS does not know.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from typing import Any

from ministack.services import stepfunctions as sfn

from local.emulator.changing import replace


def apply() -> None:
    """Make the change."""
    start = sfn._invoke_nested_start_execution

    def start_execution(resource: str, input_data: Any) -> Any:
        try:
            return start(resource, input_data)
        except sfn._ExecutionError as failure:
            if failure.error.startswith("States."):
                raise
            raise sfn._ExecutionError(f"StepFunctions.{failure.error}Exception", failure.cause) from None

    replace(sfn, "_invoke_nested_start_execution", start_execution)
