"""One emulator for all tests here, and short ways to what they deploy on it."""

import io
import json
import sys
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from local.emulator.process import EmbeddedAws, embedded_aws

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ROLE = "arn:aws:iam::000000000000:role/any"


class Deploy(Protocol):
    """Creates a function from the source of its module; returns its ARN."""

    def __call__(self, source: str, **config: Any) -> str: ...


class Invoke(Protocol):
    """Invokes a function; returns its answer, or the error's fields."""

    def __call__(self, function: str, event: Any = None) -> Any: ...


Finished = Callable[[str], dict[str, Any]]
RunMachine = Callable[..., dict[str, Any]]


def name() -> str:
    """A name that no other test uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


def archive(files: Mapping[str, str]) -> bytes:
    """A zip archive with these files; the same files give the same bytes at any time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for path, text in files.items():
            opened.writestr(zipfile.ZipInfo(path), textwrap.dedent(text))  # dated 1980, not now
    return content.getvalue()


def eventually(look: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true value that `look` returns; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.03)
    pytest.fail(f"nothing came within {seconds} s")


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    """The emulator. Its parent's environment has a secret, which no function may see."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOST_SECRET", "not for functions")
        with embedded_aws(
            state_dir=tmp_path_factory.mktemp("aws"),
            function_environment={"HANDED_OVER": "to every function"},
            endpoints={"bedrock-runtime": "http://127.0.0.1:9"},
            async_retry_seconds=0.1,
        ) as running:
            yield running


@pytest.fixture(scope="session")
def deploy(aws: EmbeddedAws) -> Deploy:
    """Creates functions."""
    client = aws.client("lambda")

    def deploy(source: str, **config: Any) -> str:
        arn: str = client.create_function(
            FunctionName=name(),
            Code={"ZipFile": archive({"index.py": source})},
            **{"Runtime": RUNTIME, "Handler": "index.handler", "Role": ROLE, "Timeout": 20, **config},
        )["FunctionArn"]
        return arn

    return deploy


@pytest.fixture(scope="session")
def invoke(aws: EmbeddedAws) -> Invoke:
    """Invokes functions."""
    client = aws.client("lambda")

    def invoke(function: str, event: Any = None) -> Any:
        return json.loads(client.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read())

    return invoke


@pytest.fixture(scope="session")
def start_machine(aws: EmbeddedAws) -> Callable[..., str]:
    """Starts an execution of a new state machine; returns its ARN."""
    client = aws.client("stepfunctions")

    def start(states: dict[str, Any], data: Any = None, **fields: Any) -> str:
        definition = {"StartAt": next(iter(states)), "States": states, **fields}
        machine = client.create_state_machine(name=name(), definition=json.dumps(definition), roleArn=ROLE)
        arn: str = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], input=json.dumps({} if data is None else data)
        )["executionArn"]
        return arn

    return start


@pytest.fixture(scope="session")
def finished(aws: EmbeddedAws) -> Finished:
    """Waits for an execution to end; returns its description."""
    client = aws.client("stepfunctions")

    def finished(execution: str) -> dict[str, Any]:
        def look() -> Any:
            description = client.describe_execution(executionArn=execution)
            return None if description["status"] == "RUNNING" else description

        description: dict[str, Any] = eventually(look)
        return description

    return finished


@pytest.fixture(scope="session")
def run_machine(start_machine: Callable[..., str], finished: Finished) -> RunMachine:
    """Runs a new state machine to its end; returns the execution's description."""

    def run(states: dict[str, Any], data: Any = None, **fields: Any) -> dict[str, Any]:
        return finished(start_machine(states, data, **fields))

    return run


class Queue:
    """An SQS queue of its own."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self._client = aws.client("sqs")
        self.url: str = self._client.create_queue(QueueName=name())["QueueUrl"]
        attributes = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn: str = attributes["Attributes"]["QueueArn"]

    def send(self, body: str) -> None:
        """Put a message in."""
        self._client.send_message(QueueUrl=self.url, MessageBody=body)

    def received(self) -> dict[str, Any]:
        """The next message: its body, parsed, and its attributes as `attributes`."""

        def look() -> Any:
            return self._client.receive_message(
                QueueUrl=self.url, MessageAttributeNames=["All"], VisibilityTimeout=60
            ).get("Messages")

        (message,) = eventually(look)
        values = {key: value["StringValue"] for key, value in message.get("MessageAttributes", {}).items()}
        return {"body": json.loads(message["Body"]), "attributes": values}

    def count(self) -> int:
        """Messages that nobody has received."""
        attributes = self._client.get_queue_attributes(
            QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def queue(aws: EmbeddedAws) -> Queue:
    """A queue for what is dead or done."""
    return Queue(aws)


class Calls:
    """A record that functions keep of their invocations, one line each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.path = str(path)

    def lines(self) -> list[Any]:
        """What they have written so far."""
        return [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []


@pytest.fixture
def calls(tmp_path: Path) -> Calls:
    """An empty record."""
    return Calls(tmp_path / "calls")
