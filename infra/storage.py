"""Where everything is kept: the inbox, the artifacts, the buckets' access log, and the jobs table."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

ABORT_UPLOADS_AFTER = Duration.days(7)
KEEP_OLD_VERSIONS = Duration.days(90)
KEEP_ACCESS_LOG = Duration.days(90)

LISTED_BY = ("created", "status", "provider")
"""Each has an index `by-<name>`, whose partitions are a month each."""
PROVIDER_JOB_INDEX = "by-provider-job"


class Storage(Construct):
    """The stateful resources. They outlive the stack; a test pins their logical ids, since a changed id means a new,
    empty resource."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.access_log = _bucket(
            self, "AccessLog", lifecycle=s3.LifecycleRule(expiration=KEEP_ACCESS_LOG, id="expire-the-log")
        )
        self.inbox = _bucket(self, "Inbox", log_to=self.access_log)
        _send_events_to_eventbridge(self.inbox)
        # The artifacts bucket sends no events: what a job writes can never start a job.
        self.artifacts = _bucket(self, "Artifacts", log_to=self.access_log)
        self.jobs = self._jobs_table()

    def _jobs_table(self) -> dynamodb.Table:
        text = dynamodb.AttributeType.STRING
        table = dynamodb.Table(
            self,
            "Jobs",
            partition_key=dynamodb.Attribute(name="pk", type=text),
            sort_key=dynamodb.Attribute(name="sk", type=text),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="expires_at_epoch",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for name in LISTED_BY:
            table.add_global_secondary_index(
                index_name=f"by-{name}",
                partition_key=dynamodb.Attribute(name=f"{name}_month", type=text),
                sort_key=dynamodb.Attribute(name="created_key", type=text),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        # For news from providers, which name the job by their own id. Only records that have one are in it.
        table.add_global_secondary_index(
            index_name=PROVIDER_JOB_INDEX,
            partition_key=dynamodb.Attribute(name="provider_job_id", type=text),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table


def _bucket(
    scope: Construct,
    construct_id: str,
    *,
    log_to: s3.IBucket | None = None,
    lifecycle: s3.LifecycleRule | None = None,
) -> s3.Bucket:
    tidy = s3.LifecycleRule(
        id="tidy-up",
        abort_incomplete_multipart_upload_after=ABORT_UPLOADS_AFTER,
        noncurrent_version_expiration=KEEP_OLD_VERSIONS,
    )
    return s3.Bucket(
        scope,
        construct_id,
        versioned=True,
        enforce_ssl=True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        server_access_logs_bucket=log_to,
        server_access_logs_prefix=f"{construct_id.lower()}/" if log_to else None,
        lifecycle_rules=[tidy, lifecycle] if lifecycle else [tidy],
        removal_policy=RemovalPolicy.RETAIN,
    )


def _send_events_to_eventbridge(bucket: s3.Bucket) -> None:
    # `event_bridge_enabled` would bring a custom resource and its function for what is one property of the bucket.
    resource = bucket.node.default_child
    assert isinstance(resource, s3.CfnBucket)  # noqa: S101
    resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
    )
