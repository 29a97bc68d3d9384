"""The Bedrock adapter: every status and every error, what it sends, and its way back after a lost reply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import botocore.session
import msgspec
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from local.simulators.faults import Fault, FaultKind
from tests.contracts.bedrock_rig import BUCKET, ROLE, BedrockRig, bedrock_rig
from tests.fakes.object_store import MemoryObjectStore
from tunedrop.aws.clients import CLIENT_CONFIG
from tunedrop.domain.errors import (
    ProviderRejectedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    SubmissionUncertainError,
)
from tunedrop.domain.job import Progress
from tunedrop.domain.provider_ports import FineTuningProvider, ProviderState
from tunedrop.providers.bedrock import STATES, BedrockProvider, as_text, model_name

MODEL = botocore.session.get_session().get_service_model("bedrock")
JOB_ARN = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-lite-v1:0:300k/0123456789ab"

JOB: dict[str, Any] = {
    "jobArn": JOB_ARN,
    "jobName": "tunedrop-a",
    "outputModelName": "m",
    "roleArn": ROLE,
    "creationTime": 0,
    "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:300k",
    "trainingDataConfig": {"s3Uri": "s3://bucket/train.jsonl"},
    "validationDataConfig": {"validators": []},
    "outputDataConfig": {"s3Uri": "s3://bucket/out"},
}
"""What GetModelCustomizationJob always answers."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BedrockRig]:
    with bedrock_rig(tmp_path) as rig:
        yield rig


class TestStatuses:
    def test_every_status_of_the_service_model_has_a_state(self) -> None:
        assert set(STATES) == set(MODEL.shape_for("ModelCustomizationJobStatus").enum)

    @pytest.mark.parametrize("raw", [*STATES, "Hibernating"])
    def test_a_status_becomes_its_state(self, raw: str) -> None:
        job = stubbed_status({"status": raw})
        assert job.raw_status == raw
        assert job.state is STATES.get(raw, ProviderState.UNKNOWN)

    @pytest.mark.parametrize("training", MODEL.shape_for("JobStatusDetails").enum)
    def test_a_job_is_queued_until_its_training_begins(self, training: str) -> None:
        details = {
            "validationDetails": {"status": "Completed"},
            "dataProcessingDetails": {"status": "InProgress" if training == "NotStarted" else "Completed"},
            "trainingDetails": {"status": training},
        }
        job = stubbed_status({"status": "InProgress", "statusDetails": details})
        queued = training == "NotStarted"
        assert job.state is (ProviderState.QUEUED if queued else ProviderState.TRAINING)
        expected = {"NotStarted": "processing the data", "InProgress": "training"}.get(training)
        assert job.progress is not None
        assert job.progress.message == expected

    def test_a_failure_carries_bedrocks_own_words(self) -> None:
        details = {"dataProcessingDetails": {"status": "Failed"}}
        job = stubbed_status({"status": "Failed", "failureMessage": "Bad row.", "statusDetails": details})
        assert (job.error_message, job.error_code, job.tuned_model) == ("Bad row.", "dataProcessing", None)

    def test_a_failure_without_words_says_so(self) -> None:
        assert stubbed_status({"status": "Failed"}).error_message == "Bedrock gave no reason."

    def test_only_a_success_names_a_model(self) -> None:
        arn = JOB_ARN.replace("model-customization-job", "custom-model")
        assert stubbed_status({"status": "Completed", "outputModelArn": arn}).tuned_model == arn
        assert stubbed_status({"status": "Stopped", "outputModelArn": arn}).tuned_model is None

    def test_the_final_loss_is_known_without_the_curve(self) -> None:
        job = stubbed_status({"status": "Completed", "trainingMetrics": {"trainingLoss": 0.5}})
        assert job.progress == Progress(training_loss=0.5)


def stubbed_status(changes: dict[str, Any]) -> Any:
    client = boto3.client(
        "bedrock", region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="unused"
    )
    with Stubber(client) as stubber:
        stubber.add_response("get_model_customization_job", JOB | changes, {"jobIdentifier": JOB_ARN})
        return provider_of(client).status(JOB_ARN)


def provider_of(client: Any) -> BedrockProvider:
    return BedrockProvider(
        client=client, objects=MemoryObjectStore(), role_arn=ROLE, output_uri_prefix=f"s3://{BUCKET}/outputs"
    )


class TestRequests:
    def test_an_order_becomes_a_job_with_everything_in_its_place(self, rig: BedrockRig) -> None:
        order = rig.order("abc", job_name="Harbour bot, v2", hyperparameters={"epochCount": 3, "learningRate": 1e-5})
        job = rig.client.get_model_customization_job(jobIdentifier=rig.provider.create(order))
        assert job["jobName"] == job["clientRequestToken"] == "tunedrop-abc"
        assert job["outputModelName"] == "Harbour-bot-v2-tunedrop-abc"
        assert job["hyperParameters"] == {"epochCount": "3", "learningRate": "0.00001"}
        assert job["customizationType"] == "FINE_TUNING"
        assert job["roleArn"] == ROLE
        assert job["trainingDataConfig"] == {"s3Uri": order.training_uri}
        assert job["validationDataConfig"] == {"validators": []}
        assert job["outputDataConfig"] == {"s3Uri": f"s3://{BUCKET}/outputs/abc"}
        tags = rig.client.list_tags_for_resource(resourceARN=job["jobArn"])["tags"]
        assert tags == [{"key": "tunedrop:job-id", "value": "abc"}]

    def test_a_validation_file_goes_with_it(self, rig: BedrockRig) -> None:
        order = rig.order("abc")
        order = msgspec.structs.replace(order, validation_uri=f"{order.training_uri}?versionId=7")
        job = rig.client.get_model_customization_job(jobIdentifier=rig.provider.create(order))
        assert job["validationDataConfig"] == {"validators": [{"s3Uri": order.training_uri}]}

    @pytest.mark.parametrize(
        ("value", "text"),
        [(3, "3"), (3.0, "3"), (1e-5, "0.00001"), (0.00025, "0.00025"), (100, "100"), (0, "0"), ("auto", "auto")],
    )
    def test_a_hyperparameter_is_sent_as_plain_text(self, value: float | str, text: str) -> None:
        assert as_text(value) == text

    @pytest.mark.parametrize("job_name", [None, "", "---", "häfen & boote", "x" * 200, "a_b", "-a-"])
    @pytest.mark.parametrize("token", ["t", "tunedrop-abc", "a--b", "t" * 63])
    def test_a_models_name_is_always_legal_and_keeps_the_token(
        self, rig_order: Any, job_name: str | None, token: str
    ) -> None:
        name = model_name(msgspec.structs.replace(rig_order, job_name=job_name, token=token))
        shape = MODEL.shape_for("CustomModelName")
        assert re.fullmatch(shape.metadata["pattern"], name)
        assert len(name) <= shape.metadata["max"]
        assert name.endswith(token.replace("--", "-"))


@pytest.fixture
def rig_order(rig: BedrockRig) -> Any:
    return rig.order("name")


class TestSubmission:
    def test_creating_again_gives_the_same_job(self, rig: BedrockRig) -> None:
        order = rig.order("abc")
        assert rig.provider.create(order) == rig.provider.create(order) == rig.provider.find(order)
        assert rig.jobs_created() == 1

    def test_a_job_whose_reply_was_lost_is_found_by_creating_it_again(self, rig: BedrockRig) -> None:
        order = rig.order("abc")
        rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.LOSE_REPLY))
        with pytest.raises(SubmissionUncertainError):
            rig.provider.create(order)
        assert rig.provider.find(order) == rig.provider.create(order)
        assert rig.jobs_created() == 1

    def test_the_sdk_itself_outlives_a_lost_reply(self, rig: BedrockRig) -> None:
        provider = provider_of(rig.connect(config=CLIENT_CONFIG))
        rig.faults.add(Fault(operation="CreateModelCustomizationJob", kind=FaultKind.LOSE_REPLY))
        order = rig.order("abc")
        assert provider.create(order) == rig.provider.find(order)
        assert rig.jobs_created() == 1

    def test_a_name_that_our_own_job_took_leads_to_that_job(self, rig: BedrockRig) -> None:
        """So it goes when the service has forgotten the token and not the name."""
        order = rig.order("abc")
        first = rig.provider.create(order)
        changed = msgspec.structs.replace(order, hyperparameters={"epochCount": 1})
        assert rig.provider.create(changed) == first

    def test_a_name_that_somebody_else_took_is_a_refusal(self, rig: BedrockRig) -> None:
        order = rig.order("abc")
        rig.client.create_model_customization_job(
            jobName=order.token,
            customModelName="theirs",
            roleArn=ROLE,
            baseModelIdentifier=order.base_model,
            trainingDataConfig={"s3Uri": order.training_uri},
            outputDataConfig={"s3Uri": f"s3://{BUCKET}/theirs"},
        )
        assert rig.provider.find(order) is None
        with pytest.raises(ProviderRejectedError, match="currently in use"):
            rig.provider.create(order)

    def test_what_was_never_created_is_not_found(self, rig: BedrockRig) -> None:
        assert rig.provider.find(rig.order("abc")) is None

    def test_not_found_may_also_be_said_as_a_validation_error(self) -> None:
        client = boto3.client(
            "bedrock", region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="unused"
        )
        with Stubber(client) as stubber, bedrock_rig(Path()) as rig:
            stubber.add_client_error(
                "get_model_customization_job", "ValidationException", "The provided job does not exist."
            )
            assert provider_of(client).find(rig.order("abc")) is None

    def test_a_refusal_names_the_reason(self, rig: BedrockRig) -> None:
        rig.account.roles.clear()
        with pytest.raises(ProviderRejectedError, match="could not assume the role") as refused:
            rig.provider.create(rig.order("abc"))
        assert refused.value.provider_code == "AccessDeniedException"

    def test_a_full_quota_asks_for_minutes(self, tmp_path: Path) -> None:
        with bedrock_rig(tmp_path, most_jobs=1) as rig:
            rig.provider.create(rig.order("one"))
            with pytest.raises(ProviderThrottledError) as refused:
                rig.provider.create(rig.order("two"))
            assert refused.value.retry_after == 300

    def test_nobody_listening_is_uncertain_for_a_create_and_unavailable_for_a_read(self, rig: BedrockRig) -> None:
        once = CLIENT_CONFIG.merge(Config(retries={"total_max_attempts": 1}))
        rig.url = "http://127.0.0.1:9"
        provider = provider_of(rig.connect(config=once))
        with pytest.raises(SubmissionUncertainError):
            provider.create(rig.order("abc"))
        with pytest.raises(ProviderUnavailableError):
            provider.find(rig.order("abc"))
        with pytest.raises(ProviderUnavailableError):
            provider.stop(JOB_ARN)


class TestStopping:
    def test_a_running_job_stops(self, rig: BedrockRig) -> None:
        job = rig.provider.create(rig.order("abc"))
        rig.provider.stop(job)
        assert rig.provider.status(job).state is ProviderState.STOPPING
        rig.advance(10)
        assert rig.provider.status(job).state is ProviderState.CANCELLED

    @pytest.mark.parametrize("seconds", [0.1, 60])
    def test_stopping_again_or_too_late_is_fine(self, rig: BedrockRig, seconds: float) -> None:
        job = rig.provider.create(rig.order("abc"))
        rig.provider.stop(job)
        rig.advance(seconds)
        rig.provider.stop(job)
        assert rig.provider.status(job).raw_status in ("Stopping", "Stopped")

    def test_a_job_that_succeeded_is_left_as_it_is(self, rig: BedrockRig) -> None:
        job = rig.provider.create(rig.order("abc"))
        rig.advance(60)
        rig.provider.stop(job)
        assert rig.provider.status(job).state is ProviderState.SUCCEEDED

    def test_a_refusal_while_the_job_runs_is_not_swallowed(self, rig: BedrockRig) -> None:
        job = rig.provider.create(rig.order("abc"))
        with Stubber(rig.client) as stubber:
            stubber.add_client_error("stop_model_customization_job", "ConflictException", "Being changed.")
            stubber.add_response("get_model_customization_job", JOB | {"status": "InProgress"})
            with pytest.raises(ProviderRejectedError, match=re.escape("Being changed.")):
                rig.provider.stop(job)


def test_a_running_job_shows_step_and_loss(rig: BedrockRig) -> None:
    job = rig.provider.create(rig.order("abc"))
    rig.advance(3)
    early = rig.provider.status(job).progress
    rig.advance(3)
    late = rig.provider.status(job).progress
    assert early is not None
    assert late is not None
    assert early.step is not None
    assert late.step is not None
    assert 0 < early.step < late.step
    assert early.training_loss is not None
    assert late.training_loss is not None
    assert early.training_loss > late.training_loss
    assert late.message == "training"


def test_the_adapter_is_a_fine_tuning_provider_that_needs_no_settling_time() -> None:
    provider: FineTuningProvider = provider_of(client=None)
    assert provider.lookup_settle_seconds == 0
