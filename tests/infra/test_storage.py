"""Every bucket, queue, topic and secret, and the jobs table."""

from __future__ import annotations

import json
from typing import Any

from infra.credentials import PLACEHOLDER
from tests.infra.templates import Synthesis, as_list
from tunedrop.aws.provider_job_index import INDEX


def _refuses_plain_http(policy: dict[str, Any]) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] in ({"AWS": "*"}, "*")
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    )


def test_the_ids_of_what_holds_data_stay_as_they_are(aws: Synthesis) -> None:
    """Another id makes CloudFormation create a new, empty resource."""
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SNS::Topic")
    assert {name for kind in kinds for name in aws.resources(kind)} == {
        "StorageAccessLog9DF31AD8",
        "StorageInbox618003E1",
        "StorageArtifacts08431D1F",
        "StorageJobs4C7573CB",
        "CredentialsOpenaiEA5F6721",
        "CredentialsDatabricksC0846D2E",
        "NotificationsTopicAE679CBD",
    }


def test_every_bucket_is_private_versioned_encrypted_and_outlives_the_stack(aws: Synthesis) -> None:
    for name, bucket in aws.resources("AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert len(properties["PublicAccessBlockConfiguration"]) == 4, name
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain", name


def test_every_bucket_and_queue_and_topic_refuses_plain_http(aws: Synthesis) -> None:
    for kind, policy_kind, target in (
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"),
    ):
        closed = {
            resource["Ref"]
            for policy in aws.resources(policy_kind).values()
            if _refuses_plain_http(policy)
            for resource in as_list(policy["Properties"][target])
        }
        assert closed == aws.resources(kind).keys()


def test_every_bucket_drops_uploads_that_were_never_finished_and_old_versions(aws: Synthesis) -> None:
    for name, bucket in aws.resources("AWS::S3::Bucket").items():
        rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        assert all(rule["Status"] == "Enabled" for rule in rules), name
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules), name
        assert any("NoncurrentVersionExpiration" in rule for rule in rules), name


def test_only_the_inbox_sends_events_so_that_outputs_start_no_job(aws: Synthesis) -> None:
    senders = {
        name: bucket["Properties"]["NotificationConfiguration"]
        for name, bucket in aws.resources("AWS::S3::Bucket").items()
        if "NotificationConfiguration" in bucket["Properties"]
    }
    assert senders == {"StorageInbox618003E1": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}}


def test_access_to_the_inbox_and_the_artifacts_is_logged(aws: Synthesis) -> None:
    buckets = aws.resources("AWS::S3::Bucket")
    for name in ("StorageInbox618003E1", "StorageArtifacts08431D1F"):
        logging = buckets[name]["Properties"]["LoggingConfiguration"]
        assert logging["DestinationBucketName"] == {"Ref": "StorageAccessLog9DF31AD8"}


def test_the_table_has_its_stream_its_history_and_protection(aws: Synthesis) -> None:
    (table,) = aws.resources("AWS::DynamoDB::Table").values()
    properties = table["Properties"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert properties["DeletionProtectionEnabled"] is True
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at_epoch", "Enabled": True}


def test_the_table_and_its_indexes_have_the_keys_that_the_lists_query(aws: Synthesis) -> None:
    (table,) = aws.resources("AWS::DynamoDB::Table").values()
    properties = table["Properties"]

    def keys(schema: list[dict[str, str]]) -> tuple[str, ...]:
        return tuple(each["AttributeName"] for each in schema)

    assert keys(properties["KeySchema"]) == ("pk", "sk")
    assert {each["IndexName"]: keys(each["KeySchema"]) for each in properties["GlobalSecondaryIndexes"]} == {
        "by-created": ("created_month", "created_key"),
        "by-status": ("status_month", "created_key"),
        "by-provider": ("provider_month", "created_key"),
        "by-provider-job": ("provider_job_id",),
    }
    assert {each["AttributeType"] for each in properties["AttributeDefinitions"]} == {"S"}
    projections = {each["IndexName"]: each["Projection"] for each in properties["GlobalSecondaryIndexes"]}
    assert projections.pop(INDEX) == {"ProjectionType": "KEYS_ONLY"}
    assert list(projections.values()) == [{"ProjectionType": "ALL"}] * 3


def test_every_queue_is_encrypted_and_keeps_its_messages_for_two_weeks(aws: Synthesis) -> None:
    for queue in aws.resources("AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_the_topic_is_encrypted(aws: Synthesis) -> None:
    (topic,) = aws.resources("AWS::SNS::Topic").values()
    assert "alias/aws/sns" in json.dumps(topic["Properties"]["KmsMasterKeyId"])


def test_secrets_are_created_empty_under_their_stage(aws: Synthesis, configured: Synthesis) -> None:
    """A value in the template would be written over the key that a user stored: it never changes from `{}`."""
    for synthesis, stage in ((aws, "dev"), (configured, "prod")):
        secrets = [each["Properties"] for each in synthesis.resources("AWS::SecretsManager::Secret").values()]
        assert {each["Name"] for each in secrets} == {
            f"tunedrop/{stage}/openai/default",
            f"tunedrop/{stage}/databricks/default",
        }
        assert [each["SecretString"] for each in secrets] == [PLACEHOLDER] * 2 == ["{}"] * 2
