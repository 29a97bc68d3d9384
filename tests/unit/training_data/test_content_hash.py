"""The content's hash is that of all its pieces in order, however many there are, and in bounded memory."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Generator
from typing import cast

import pytest

from tests.traced_memory import assert_peak_below
from tunedrop.domain.errors import DatasetInvalidError
from tunedrop.domain.models import find_model
from tunedrop.training_data.figures.content_hash import ContentHash
from tunedrop.training_data.preparation import Preparation

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [1, 1_000, 300_000, MIB, 3 * MIB])
@pytest.mark.parametrize("pieces", [0, 1, 2, 40])
def test_it_is_the_sha256_of_the_whole(pieces: int, size: int) -> None:
    content = [bytes([index % 256]) * size for index in range(pieces)]
    digest = ContentHash()
    for piece in content:
        digest.update(piece)
    assert digest.hexdigest() == hashlib.sha256(b"".join(content)).hexdigest()


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "content-hash"]


def test_no_thread_is_left_behind() -> None:
    digest = ContentHash()
    for _ in range(10):
        digest.update(b"x" * MIB)
    assert threads()
    digest.hexdigest()
    assert not threads()


def test_a_file_that_cannot_be_used_leaves_no_thread_behind() -> None:
    row = b'{"prompt": "How fine?", "completion": "%s"}\n' % (b"Seven. " * 100)
    content = io.BytesIO(row * 3_000 + b"{}\n")
    preparation = Preparation(content, name="train.jsonl", model=find_model("openai", "gpt-4o-mini"))
    with pytest.raises(DatasetInvalidError):
        list(preparation.chunks())
    assert not threads()


def test_a_preparation_that_is_given_up_leaves_no_thread_behind() -> None:
    row = b'{"prompt": "How fine?", "completion": "%s"}\n' % (b"Seven. " * 100)
    preparation = Preparation(io.BytesIO(row * 3_000), name="train.jsonl", model=find_model("openai", "gpt-4o-mini"))
    chunks = preparation.chunks()
    for _ in range(10):
        next(chunks)
    assert threads()
    cast(Generator[bytes, None, None], chunks).close()
    assert not threads()


def test_memory_does_not_grow_with_the_content() -> None:
    def hash_200_megabytes() -> None:
        digest = ContentHash()
        for index in range(2_000):
            digest.update(bytes([index % 256]) * 100_000)
        digest.hexdigest()

    assert_peak_below(10 * MIB, hash_200_megabytes)
