"""Bedrock's own role for training, and what the functions may ask of Bedrock.

Sources: Bedrock User Guide, "Create a service role for model customization"; Service Authorization Reference, "Actions,
resources, and condition keys for Amazon Bedrock".
"""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.functions import allow
from infra.permissions import JOBS, OUTPUTS, READ_OBJECT, list_artifacts, read_artifacts
from infra.storage import Storage


class BedrockAccess(Construct):
    """`training_role` is what Bedrock assumes to read the prepared files and to write its metrics."""

    def __init__(self, scope: Construct, construct_id: str, *, storage: Storage) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._bedrock = f"arn:{stack.partition}:bedrock:{stack.region}"
        self._account = stack.account
        self.training_role = iam.Role(
            self,
            "TrainingRole",
            description="Bedrock reads prepared training files and writes training metrics.",
            # Without these conditions another account's job could borrow the role (the confused deputy).
            assumed_by=iam.ServicePrincipal(
                "bedrock.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": self._resource("model-customization-job/*")},
                },
            ),
        )
        for statement in (
            read_artifacts(storage, JOBS),
            allow([*READ_OBJECT, "s3:PutObject"], [storage.artifacts.arn_for_objects(OUTPUTS)]),
            list_artifacts(storage, [JOBS, OUTPUTS]),
        ):
            self.training_role.add_to_policy(statement)

    def customization_permissions(self) -> list[iam.PolicyStatement]:
        """Create, follow and stop customization jobs, and hand Bedrock the training role, and nobody else."""
        jobs, models = self._resource("model-customization-job/*"), self._resource("custom-model/*")
        return [
            allow(
                ["bedrock:CreateModelCustomizationJob", "bedrock:TagResource"],
                [f"{self._bedrock}::foundation-model/*", models, jobs],
            ),
            allow(["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"], [jobs]),
            allow(["bedrock:GetCustomModel"], [models]),
            # Listing has no resource to name.
            allow(["bedrock:ListModelCustomizationJobs"], ["*"]),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self.training_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
            ),
        ]

    def serving_permissions(self) -> list[iam.PolicyStatement]:
        """Deploy a custom model on demand or as provisioned throughput, follow that, and take it down again."""
        models = self._resource("custom-model/*")
        deployments, provisioned = self._resource("custom-model-deployment/*"), self._resource("provisioned-model/*")
        return [
            allow(["bedrock:CreateCustomModelDeployment", "bedrock:CreateProvisionedModelThroughput"], [models]),
            # One that has our name is ours only if it has our tags, too.
            allow(["bedrock:TagResource", "bedrock:ListTagsForResource"], [deployments, provisioned]),
            allow(["bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"], [deployments]),
            allow(["bedrock:GetProvisionedModelThroughput", "bedrock:DeleteProvisionedModelThroughput"], [provisioned]),
        ]

    def removal_permissions(self) -> list[iam.PolicyStatement]:
        """Delete a custom model that nobody needs; Bedrock refuses while it is deployed."""
        return [allow(["bedrock:DeleteCustomModel"], [self._resource("custom-model/*")])]

    def _resource(self, name: str) -> str:
        return f"{self._bedrock}:{self._account}:{name}"
