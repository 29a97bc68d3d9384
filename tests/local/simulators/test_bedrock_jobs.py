"""A customization job's life at the simulated Bedrock, as boto3 sees it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from local.simulators.faults import Fault, FaultKind
from local.simulators.pace import Pace
from tests.contracts.bedrock_rig import BUCKET, MODEL, ROLE, BedrockRig, bedrock_rig, training_file

PACE = Pace(validating=1, queued=2, training=10, steps=10, stopping=1)
TRAIN = f"s3://{BUCKET}/train.jsonl"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BedrockRig]:
    with bedrock_rig(tmp_path, pace=PACE) as rig:
        rig.account.write(TRAIN, training_file((f"question {number}", "answer") for number in range(12)))
        yield rig


def create(rig: BedrockRig, name: str = "job", **changes: Any) -> str:
    request: dict[str, Any] = {
        "jobName": name,
        "customModelName": f"{name}-model",
        "roleArn": ROLE,
        "baseModelIdentifier": MODEL,
        "trainingDataConfig": {"s3Uri": TRAIN},
        "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/out/"},
        "hyperParameters": {"epochCount": "2"},
    }
    arn: str = rig.client.create_model_customization_job(**request | changes)["jobArn"]
    return arn


def get(rig: BedrockRig, identifier: str = "job") -> dict[str, Any]:
    job: dict[str, Any] = rig.client.get_model_customization_job(jobIdentifier=identifier)
    return job


def sub_statuses(job: dict[str, Any]) -> list[str]:
    parts = ("validationDetails", "dataProcessingDetails", "trainingDetails")
    return [job["statusDetails"][part]["status"] for part in parts]


def test_a_job_goes_through_its_parts_and_completes(rig: BedrockRig) -> None:
    create(rig)
    seen = []
    for _ in range(14):
        job = get(rig)
        seen.append((job["status"], *sub_statuses(job)))
        rig.advance(1)
    assert list(dict.fromkeys(seen)) == [
        ("InProgress", "InProgress", "NotStarted", "NotStarted"),
        ("InProgress", "Completed", "InProgress", "NotStarted"),
        ("InProgress", "Completed", "Completed", "InProgress"),
        ("Completed", "Completed", "Completed", "Completed"),
    ]
    done = get(rig)
    assert done["endTime"] - done["creationTime"] == timedelta(seconds=13)
    assert done["trainingMetrics"] == {"trainingLoss": pytest.approx(PACE.loss(10))}
    assert done["outputModelArn"].startswith(f"arn:aws:bedrock:us-east-1:000000000000:custom-model/{MODEL}/")


def test_the_loss_curve_grows_in_s3_and_falls(rig: BedrockRig) -> None:
    arn = create(rig)
    uri = (
        f"s3://{BUCKET}/out/model-customization-job-{arn.rpartition('/')[2]}"
        "/training_artifacts/step_wise_training_metrics.csv"
    )
    rig.advance(2)
    get(rig)
    assert rig.account.read(uri) is None
    rig.advance(5)
    get(rig)
    assert [row["step_number"] for row in metrics(rig, uri)] == ["1", "2", "3", "4"]
    rig.advance(60)
    get(rig)
    rows = metrics(rig, uri)
    assert [(row["step_number"], row["epoch_number"]) for row in rows[3:7]] == [
        ("4", "1"),
        ("5", "1"),
        ("6", "2"),
        ("7", "2"),
    ]
    assert float(rows[0]["training_loss"]) > 2 * float(rows[-1]["training_loss"])


def metrics(rig: BedrockRig, uri: str) -> list[dict[str, str]]:
    content = rig.account.read(uri)
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_validation_data_leaves_a_validation_loss(rig: BedrockRig) -> None:
    valid = f"s3://{BUCKET}/valid.jsonl"
    rig.account.write(valid, training_file([("question", "answer")]))
    arn = create(rig, validationDataConfig={"validators": [{"s3Uri": valid}]})
    rig.advance(5)
    get(rig)
    assert not [uri for uri in rig.account.objects.objects if "validation_artifacts" in uri]
    rig.advance(60)
    job = get(rig)
    assert len(job["validationMetrics"]) == 1
    folder = f"s3://{BUCKET}/out/model-customization-job-{arn.rpartition('/')[2]}/validation_artifacts"
    (row,) = metrics(rig, f"{folder}/post_fine_tuning_validation/validation/validation_metrics.csv")
    assert float(row["validation_loss"]) == pytest.approx(job["validationMetrics"][0]["validationLoss"])


def test_the_same_token_makes_one_job(rig: BedrockRig) -> None:
    first = create(rig, clientRequestToken="token-1")
    rig.advance(3)
    assert create(rig, clientRequestToken="token-1") == first
    assert rig.jobs_created() == 1


def test_a_job_whose_creation_was_never_answered_exists(rig: BedrockRig) -> None:
    rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.LOSE_REPLY))
    with pytest.raises(HTTPClientError):
        create(rig)
    assert get(rig)["status"] == "InProgress"


def test_a_job_can_be_named_by_its_name_and_its_arn(rig: BedrockRig) -> None:
    arn = create(rig)
    assert get(rig, "job")["jobArn"] == get(rig, arn)["jobArn"] == arn


def test_a_stopped_job_stops_after_a_while_and_leaves_no_model(rig: BedrockRig) -> None:
    create(rig)
    rig.advance(5)
    rig.client.stop_model_customization_job(jobIdentifier="job")
    assert (get(rig)["status"], sub_statuses(get(rig))) == ("Stopping", ["Completed", "Completed", "Stopping"])
    rig.advance(60)
    job = get(rig)
    assert (job["status"], sub_statuses(job)) == ("Stopped", ["Completed", "Completed", "Stopped"])
    assert "outputModelArn" not in job
    assert job["endTime"] - job["creationTime"] == timedelta(seconds=6)
    assert rig.client.list_custom_models()["modelSummaries"] == []


def test_a_job_can_be_made_to_fail_while_it_trains(rig: BedrockRig) -> None:
    rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.FAIL_JOB, message="Out of capacity."))
    create(rig)
    rig.advance(4)
    assert get(rig)["status"] == "InProgress"
    rig.advance(30)
    job = get(rig)
    assert (job["status"], job["failureMessage"]) == ("Failed", "Out of capacity.")
    assert sub_statuses(job) == ["Completed", "Completed", "Failed"]


def test_jobs_are_listed_in_pages_newest_first(rig: BedrockRig) -> None:
    for name in ("one", "two", "three"):
        create(rig, name)
        rig.advance(1)
    first = rig.client.list_model_customization_jobs(maxResults=2)
    names = [job["jobName"] for job in first["modelCustomizationJobSummaries"]]
    rest = rig.client.list_model_customization_jobs(maxResults=2, nextToken=first["nextToken"])
    assert names + [job["jobName"] for job in rest["modelCustomizationJobSummaries"]] == ["three", "two", "one"]
    assert "nextToken" not in rest


def test_jobs_are_listed_by_status_name_and_time(rig: BedrockRig) -> None:
    create(rig, "early")
    rig.advance(60)
    created = get(rig, create(rig, "late"))["creationTime"]

    def listed(**filters: Any) -> list[str]:
        found = rig.client.list_model_customization_jobs(**filters)["modelCustomizationJobSummaries"]
        return [job["jobName"] for job in found]

    assert listed(statusEquals="Completed") == ["early"]
    assert listed(nameContains="lat") == ["late"]
    assert listed(creationTimeBefore=created) == ["early"]
    assert listed(sortOrder="Ascending") == ["early", "late"]


def test_jobs_of_another_region_are_not_seen(rig: BedrockRig) -> None:
    create(rig)
    elsewhere = rig.connect(region="us-west-2")
    assert elsewhere.list_model_customization_jobs()["modelCustomizationJobSummaries"] == []


def test_more_jobs_than_the_quota_are_refused_until_one_ends(tmp_path: Path) -> None:
    with bedrock_rig(tmp_path, pace=PACE, most_jobs=1) as rig:
        rig.account.write(TRAIN, training_file((f"question {number}", "answer") for number in range(12)))
        create(rig, "one")
        with pytest.raises(ClientError) as refused:
            create(rig, "two")
        assert refused.value.response["Error"]["Code"] == "ServiceQuotaExceededException"
        rig.advance(60)
        create(rig, "two")


def test_a_throttled_call_says_how_long_to_wait_and_does_nothing(rig: BedrockRig) -> None:
    rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.THROTTLE, seconds=7))
    with pytest.raises(ClientError) as refused:
        create(rig)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
    assert rig.jobs_created() == 0


def test_an_internal_error_does_nothing(rig: BedrockRig) -> None:
    rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.ERROR))
    with pytest.raises(ClientError) as refused:
        create(rig)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert rig.jobs_created() == 0


def test_a_job_keeps_the_pace_that_was_set_when_it_was_created(rig: BedrockRig) -> None:
    rig.simulator.pace = msgspec.structs.replace(PACE, training=100 * PACE.training)
    create(rig, "long")
    rig.simulator.pace = PACE
    create(rig, "short")
    rig.advance(2 * PACE.training)
    assert get(rig, "short")["status"] == "Completed"
    assert get(rig, "long")["status"] == "InProgress"
    rig.advance(100 * PACE.training)
    assert get(rig, "long")["status"] == "Completed"
