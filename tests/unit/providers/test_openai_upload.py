"""Files that are too large for one call go up to OpenAI in parts, in order, and in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import openai
import pytest
from flask import Flask, Response, request

from local.simulators.faults import Fault, FaultKind
from local.simulators.serving import serving
from tests.contracts.openai_rig import API_KEY, OpenAIRig, openai_rig
from tests.fakes.object_store import MemoryObjectStore
from tests.traced_memory import assert_peak_below
from tunedrop.domain.errors import (
    CredentialsError,
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    StoreUnavailableError,
)
from tunedrop.domain.ports import ObjectInfo
from tunedrop.domain.provider_ports import ProviderState
from tunedrop.providers.openai import OpenAIProvider
from tunedrop.providers.openai_upload import OPENAI_SIZES, UploadSizes

SMALL = UploadSizes(in_one_call=500, part=300)
PART, COMPLETE = "uploads.parts.create", "uploads.complete"
MEBIBYTE = 1024 * 1024
SERVERS_BUFFER = 10_000_000
"""What the test's own server, in the same process, takes to read the rest of a request."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[OpenAIRig]:
    with openai_rig(tmp_path, upload_sizes=SMALL) as rig:
        yield rig


def fault(rig: OpenAIRig, operation: str, kind: FaultKind, **fields: Any) -> None:
    rig.faults.add(Fault(operation=operation, kind=kind, **fields))


def files_at(rig: OpenAIRig) -> dict[str, bytes]:
    """The content of every training file at the provider, by name; two of one name fail."""
    with openai.OpenAI(api_key=API_KEY, base_url=rig.base_url, max_retries=0) as client:
        files = list(client.files.list(purpose="fine-tune"))
        assert len({file.filename for file in files}) == len(files)
        return {file.filename: client.files.content(file.id).content for file in files}


def calls_of(rig: OpenAIRig) -> list[str]:
    """Every call from now on, without the ids."""
    calls: list[str] = []

    def note() -> None:
        calls.append(str(request.endpoint))

    rig.simulator.app.before_request(note)
    return calls


def test_a_large_file_goes_up_in_parts_and_arrives_whole(rig: OpenAIRig) -> None:
    calls = calls_of(rig)
    order = rig.order("a", validation_uri=None)
    content = rig.objects.objects[order.training_uri]
    job_id = rig.provider.create(order)
    assert len(content) > 3 * SMALL.part
    assert calls.count(PART) == -(-len(content) // SMALL.part)
    assert "files.create" not in calls
    assert list(files_at(rig).values()) == [content]
    assert rig.simulator.upload_statuses == ["completed"]
    rig.advance(60)
    assert rig.provider.status(job_id).state is ProviderState.SUCCEEDED


@pytest.mark.parametrize(("size", "parts"), [(500, 0), (501, 2), (600, 2), (601, 3)])
def test_a_file_of_just_the_limit_goes_up_in_one_call(rig: OpenAIRig, size: int, parts: int) -> None:
    content = bytes(range(256)) * 3
    rig.objects.put("s3://artifacts/sized", content[:size])
    calls = calls_of(rig)
    rig.provider.create(rig.order("a", training_uri="s3://artifacts/sized", validation_uri=None))
    assert (calls.count("files.create"), calls.count(PART)) == (0 if parts else 1, parts)
    assert list(files_at(rig).values()) == [content[:size]]


def test_both_files_of_an_order_may_be_large(rig: OpenAIRig) -> None:
    order = rig.order("a")
    rig.provider.create(order)
    assert sorted(files_at(rig)) == [
        f"a-{order.training_sha256[:12]}.jsonl",
        f"a-validation-{order.training_sha256[:12]}.jsonl",
    ]
    assert rig.simulator.upload_statuses == ["completed"] * 2


def test_the_limits_of_openai_are_kept(rig: OpenAIRig) -> None:
    assert OPENAI_SIZES.in_one_call <= 512_000_000
    assert OPENAI_SIZES.part <= 64_000_000


# --- trouble on the way


@pytest.mark.parametrize("kind", [FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.LOSE_REPLY])
def test_one_part_that_fails_does_not_cost_the_upload(rig: OpenAIRig, kind: FaultKind) -> None:
    order = rig.order("a", validation_uri=None)
    calls = calls_of(rig)
    fault(rig, PART, FaultKind.SLOW)  # the trouble comes with the second part
    fault(rig, PART, kind, seconds=0.01)
    rig.provider.create(order)
    assert calls.count("uploads.create") == 1
    assert list(files_at(rig).values()) == [rig.objects.objects[order.training_uri]]


# operation, kind, our error, and where the first upload is left
TROUBLE = {
    "throttled at the beginning": ("uploads.create", FaultKind.THROTTLE, ProviderThrottledError, []),
    "no reply at the beginning": ("uploads.create", FaultKind.LOSE_REPLY, ProviderUnavailableError, ["pending"]),
    "throttled parts": (PART, FaultKind.THROTTLE, ProviderThrottledError, ["cancelled"]),
    "broken parts": (PART, FaultKind.ERROR, ProviderUnavailableError, ["cancelled"]),
    "throttled at the end": (COMPLETE, FaultKind.THROTTLE, ProviderThrottledError, ["pending"]),
    "broken at the end": (COMPLETE, FaultKind.ERROR, ProviderUnavailableError, ["pending"]),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_an_upload_that_failed_begins_anew_and_leaves_one_file_and_one_job(rig: OpenAIRig, trouble: str) -> None:
    operation, kind, error, left = TROUBLE[trouble]
    order = rig.order("a", validation_uri=None)
    fault(rig, operation, kind, seconds=0.01, times=3 if operation == PART else 1)
    with pytest.raises(error):
        rig.provider.create(order)
    assert (rig.jobs_created(), files_at(rig), rig.simulator.upload_statuses) == (0, {}, left)

    rig.provider.create(order)
    assert rig.jobs_created() == 1
    assert list(files_at(rig).values()) == [rig.objects.objects[order.training_uri]]
    assert rig.simulator.upload_statuses == [*left, "completed"]


def test_a_part_whose_replies_are_lost_begins_anew_without_a_second_job(rig: OpenAIRig) -> None:
    order = rig.order("a", validation_uri=None)
    fault(rig, PART, FaultKind.LOSE_REPLY, times=3)
    with pytest.raises(ProviderUnavailableError):
        rig.provider.create(order)
    rig.provider.create(order)
    assert rig.jobs_created() == 1
    assert list(files_at(rig).values()) == [rig.objects.objects[order.training_uri]]


def test_an_upload_completed_without_a_reply_is_found_and_not_sent_again(rig: OpenAIRig) -> None:
    order = rig.order("a", validation_uri=None)
    fault(rig, COMPLETE, FaultKind.LOSE_REPLY)
    calls = calls_of(rig)
    with pytest.raises(ProviderUnavailableError):
        rig.provider.create(order)
    assert calls.count(COMPLETE) == 1
    rig.provider.create(order)
    assert rig.simulator.upload_statuses == ["completed"]
    assert (rig.jobs_created(), len(files_at(rig))) == (1, 1)


def test_an_upload_left_half_done_expires_by_itself(rig: OpenAIRig) -> None:
    fault(rig, PART, FaultKind.ERROR, seconds=0.01, times=3)
    fault(rig, "uploads.cancel", FaultKind.ERROR)
    with pytest.raises(ProviderUnavailableError, match="The server had an error"):
        rig.provider.create(rig.order("a"))
    rig.advance(3599)
    assert rig.simulator.upload_statuses == ["pending"]
    rig.advance(2)
    assert rig.simulator.upload_statuses == ["expired"]


def test_a_throttled_part_passes_on_the_patience_that_was_asked_for(rig: OpenAIRig) -> None:
    fault(rig, PART, FaultKind.THROTTLE, seconds=150)
    with pytest.raises(ProviderThrottledError) as caught:
        rig.provider.create(rig.order("a"))
    assert caught.value.retry_after == 150


def test_a_used_up_quota_and_a_refused_key_end_the_job(rig: OpenAIRig) -> None:
    fault(rig, "uploads.create", FaultKind.THROTTLE, message="insufficient_quota")
    with pytest.raises(ProviderRejectedError):
        rig.provider.create(rig.order("a"))
    rig.break_credentials()
    with pytest.raises(CredentialsError):
        rig.provider.create(rig.order("a"))


class Declared(MemoryObjectStore):
    """Says that its objects are `size` bytes long, and gives at most `longest_read` of what it has at a time."""

    def __init__(self, *, size: int, longest_read: int = MEBIBYTE, breaks_after: int | None = None) -> None:
        super().__init__()
        self._size = size
        self._longest_read = longest_read
        self._breaks_after = breaks_after

    def head(self, uri: str) -> ObjectInfo | None:
        info = super().head(uri)
        return info and msgspec.structs.replace(info, size=self._size)

    @contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        store, given = self, 0
        with super().open(uri) as stream:

            class Trickle:
                def read(self, size: int) -> bytes:
                    nonlocal given
                    if store._breaks_after is not None and given >= store._breaks_after:
                        raise StoreUnavailableError("the connection to S3 was lost")
                    read = stream.read(min(size, store._longest_read))
                    given += len(read)
                    return read

            yield Trickle()  # type: ignore[misc]  # reads like a BinaryIO


def create_from(rig: OpenAIRig, store: MemoryObjectStore, content: bytes) -> str:
    store.put("s3://artifacts/a", content)
    secret = {"api_key": API_KEY, "base_url": rig.base_url}
    provider = OpenAIProvider(secret=secret, objects=store, upload_sizes=SMALL)
    try:
        return provider.create(rig.order("a", training_uri="s3://artifacts/a", validation_uri=None))
    finally:
        provider.close()


def test_a_store_that_gives_little_at_a_time_fills_the_parts_all_the_same(rig: OpenAIRig) -> None:
    content = bytes(range(256)) * 4
    calls = calls_of(rig)
    create_from(rig, Declared(size=len(content), longest_read=7), content)
    assert calls.count(PART) == 4
    assert list(files_at(rig).values()) == [content]


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (Declared(size=1024, longest_read=100, breaks_after=700), "the connection to S3 was lost"),
        (Declared(size=2000), "ended after 1024 of its 2000 bytes"),
    ],
    ids=["breaks off", "shrank"],
)
def test_a_store_that_fails_is_named_and_the_upload_cancelled(rig: OpenAIRig, store: Declared, words: str) -> None:
    with pytest.raises(StoreUnavailableError, match=words):
        create_from(rig, store, bytes(1024))
    assert rig.simulator.upload_statuses == ["cancelled"]
    assert (files_at(rig), rig.jobs_created()) == ({}, 0)


# --- other hosts


class SwallowingHost:
    """A host that takes uploads of any size, keeps nothing of them but their length, and then makes a job."""

    def __init__(self) -> None:
        self.app = Flask("swallowing")
        self.received: list[int] = []
        self.uploads: Any = {"id": "upload_1", "object": "upload"}
        self.app.add_url_rule("/<path:path>", "answer", self._answer, methods=["GET", "POST"])

    def _answer(self, path: str) -> Response:
        documents = {
            "v1/uploads": self.uploads,
            "v1/uploads/upload_1/parts": {"id": f"part_{len(self.received)}"},
            "v1/uploads/upload_1/complete": {"id": "upload_1", "file": {"id": "file-1"}},
            "v1/fine_tuning/jobs": {"id": "ftjob-1"},
        }
        if request.method == "POST" and path in ("v1/files", "v1/uploads/upload_1/parts"):
            length = 0
            while piece := request.stream.read(65_536):
                length += len(piece)
            self.received.append(length)
        document = {"object": "list", "data": []} if request.method == "GET" else documents.get(path, {"id": "file-1"})
        return Response(msgspec.json.encode(document), mimetype="application/json")


class LongStore(MemoryObjectStore):
    """Its objects are `size` line feeds, made as they are read."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def head(self, uri: str) -> ObjectInfo | None:
        return ObjectInfo(bucket="artifacts", key="a", size=self._size, version=None)

    @contextmanager
    def open(self, uri: str) -> Iterator[BinaryIO]:
        rest = self._size

        class Stream:
            def read(self, size: int) -> bytes:
                nonlocal rest
                given = min(size, rest)
                rest -= given
                return b"\n" * given

        yield Stream()  # type: ignore[misc]  # reads like a BinaryIO


@contextmanager
def hosted(host: SwallowingHost, **settings: Any) -> Iterator[OpenAIProvider]:
    with serving(host.app) as url:
        provider = OpenAIProvider(secret={"api_key": API_KEY, "base_url": f"{url}/v1"}, **settings)
        try:
            yield provider
        finally:
            provider.close()


@pytest.mark.parametrize(
    ("in_one_call", "calls", "most"),
    [(0, 6, 1.25 * OPENAI_SIZES.part), (512_000_000, 1, MEBIBYTE)],
    ids=["in parts", "in one call"],
)
def test_memory_holds_one_part_however_long_the_file_is(
    rig: OpenAIRig, in_one_call: int, calls: int, most: float
) -> None:
    size = 6 * OPENAI_SIZES.part
    order = rig.order("a", validation_uri=None)
    rig.provider.create(rig.order("b"))  # the modules that the SDK loads at a first call are not what is measured
    host = SwallowingHost()

    def create() -> None:
        host.received.clear()
        assert provider.create(order) == "ftjob-1"
        assert len(host.received) == calls
        assert size < sum(host.received) < size + 1000 * calls

    with hosted(host, objects=LongStore(size), upload_sizes=UploadSizes(in_one_call=in_one_call)) as provider:
        assert_peak_below(most + SERVERS_BUFFER, create)


@pytest.mark.parametrize("answer", [{}, {"id": None}], ids=["no id", "null"])
def test_a_host_whose_answer_names_no_upload_is_said_to_be_wrong(rig: OpenAIRig, answer: Any) -> None:
    host = SwallowingHost()
    host.uploads = answer
    with (
        hosted(host, objects=LongStore(1000), upload_sizes=SMALL) as provider,
        pytest.raises(ProviderUnavailableError, match="base_url"),
    ):
        provider.create(rig.order("a", validation_uri=None))
    assert host.received == []
