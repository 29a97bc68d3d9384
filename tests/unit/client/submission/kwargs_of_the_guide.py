"""The three dicts of the guide to fine-tuning in DSPy, with a bucket, a host and a token in their placeholders."""

from __future__ import annotations

from typing import Any

OPENAI: dict[str, Any] = {"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 1.0}
BEDROCK: dict[str, Any] = {
    "s3_path": "s3://datasets/fine-tuning-data/",
    "aws_profile": "default",
    "hyperparameters": {"epochCount": 3, "batchSize": 4, "learningRate": 1e-5},
    "job_name": "my-finetune-job",
    "start_endpoint": True,
}
DATABRICKS: dict[str, Any] = {
    "train_data_path": "/Volumes/catalog/schema/volume/path",
    "register_to": "catalog.schema.model_name",
    "task_type": "CHAT_COMPLETION",
    "databricks_host": "https://your-workspace.cloud.databricks.com",
    "databricks_token": "dapi-0123456789-secret",
    "skip_deploy": False,
}
MODELS = {
    "openai": "openai/gpt-4o-mini",
    "bedrock": "bedrock/amazon.nova-lite-v1",
    "databricks": "databricks/meta-llama/Llama-3.2-3B-Instruct",
}
KWARGS = {"openai": OPENAI, "bedrock": BEDROCK, "databricks": DATABRICKS}
TOKEN = DATABRICKS["databricks_token"]
SECRET = "your-workspace-cloud-databricks-com"
