"""What is raised can be told apart, copied to another process, and does not lose anything on the way."""

from __future__ import annotations

import copy
import pickle

import pytest

from tunedrop.client import errors
from tunedrop.client.errors import TunedropError

MADE = (
    errors.NotFoundError("gone", status=404, code="job_not_found", request_id="r-1"),
    errors.RequestRefusedError("bad", status=422, errors=[{"detail": "x", "pointer": "/model"}], retry_after=2.0),
    errors.JobFailedError("no capacity", job_id="j", code="training_failed", provider_code="ServerError"),
    errors.SubmissionInDoubtError("no answer", job_id="j"),
    errors.TrainingDataError("2 rows are bad", ["row 1: a", "row 2: b"]),
    errors.WaitTimeoutError("it goes on"),
    errors.TrainKwargsError("n_epoch"),
)


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_error_comes_whole_out_of_another_process(error: TunedropError) -> None:
    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
        assert type(copied) is type(error)
        assert str(copied) == str(error)
        assert vars(copied) == vars(error)


def test_one_name_catches_them_all() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert errors.UploadError in kinds
    assert all(issubclass(kind, TunedropError) for kind in kinds)


def test_the_problems_of_a_file_are_with_the_error() -> None:
    error = errors.TrainingDataError("2 rows are bad", iter(["row 1: a", "row 2: b"]))
    assert error.problems == ("row 1: a", "row 2: b")
    assert isinstance(error, ValueError)
