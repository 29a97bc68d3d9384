train_kwargs = {
    "train_data_path": "/Volumes/catalog/schema/volume/path",  # Required
    "register_to": "catalog.schema.model_name",  # Required
    "task_type": "CHAT_COMPLETION",  # or "INSTRUCTION_FINETUNE"
    "databricks_host": "https://your-workspace.cloud.databricks.com",  # Optional
    "databricks_token": "your-token",  # Optional
    "skip_deploy": False  # Optional
}
