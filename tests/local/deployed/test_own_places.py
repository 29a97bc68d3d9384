"""A job that brings its own: a bucket that the stack may read, a workspace's secret, a volume, a model's name."""

from __future__ import annotations

import json
from typing import Any

from local import endpoints
from local.running_stack import GUIDE_BUCKET, STAGE
from local.simulated_providers import GUIDE_SCHEMA, GUIDE_VOLUME
from tests.local.deployed.account import RIDDLES, Account, eventually
from tunedrop.domain.job import JobStatus

MODEL = f"{GUIDE_SCHEMA}.model_name"


def revoke(account: Account, secret: str) -> None:
    """Its host is left, and a token that nobody has given out."""
    text = json.dumps({"host": account.stack.providers.databricks_url, "token": "revoked"})
    account.stack.aws.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=text)


def endpoint_error(account: Account, job_id: str) -> Any:
    return account.api.get(f"/v1/jobs/{job_id}/endpoint").expect(200)["error"]


def test_a_databricks_job_trains_and_is_served_by_a_secret_of_its_own(account: Account) -> None:
    providers, aws = account.stack.providers, account.stack.aws
    secret = f"tunedrop/{STAGE}/databricks/127-0-0-1"
    access = {"host": providers.databricks_url, "token": providers.databricks_token}
    aws.client("secretsmanager").create_secret(Name=secret, SecretString=json.dumps(access))
    aws.client("s3").put_object(Bucket=GUIDE_BUCKET, Key="fine-tuning-data/riddles.jsonl", Body=RIDDLES)
    made = account.api.post(
        "/v1/jobs",
        {
            "provider": "databricks",
            "model": "meta-llama/Llama-3.2-3B-Instruct",
            "training_file": f"s3://{GUIDE_BUCKET}/fine-tuning-data/riddles.jsonl",
            "credentials": "127-0-0-1",
            "train_data_path": f"{GUIDE_VOLUME}/path",
            "register_to": MODEL,
        },
    ).expect(202)
    job_id = made["job_id"]
    assert made["starts_endpoint"] is True
    [job] = account.when([job_id], lambda job: job.is_final, "the job has ended")
    assert (job.status, job.error) == (JobStatus.SUCCEEDED, None)
    assert str(job.tuned_model).startswith(f"{MODEL}/")
    assert f"{GUIDE_VOLUME}/path/tunedrop/{job_id}/train.jsonl" in providers.databricks.volumes.files

    _, call = endpoints.started(account.api, job_id)
    assert any(endpoint.name == call.model_id for endpoint in account.databricks.serving_endpoints.list())
    endpoints.stopped(account.api, job_id)
    assert all(endpoint.name != call.model_id for endpoint in account.databricks.serving_endpoints.list())

    # That secret is the one that is used, for its endpoint as for its training: without it nothing is started.
    revoke(account, secret)
    account.api.post(f"/v1/jobs/{job_id}/endpoint/start").expect(202)
    error = eventually(lambda: endpoint_error(account, job_id), "the start is refused")
    assert error["code"] == "credentials_invalid"
