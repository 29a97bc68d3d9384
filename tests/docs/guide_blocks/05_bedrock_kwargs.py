train_kwargs = {
    "s3_path": "s3://your-bucket/fine-tuning-data/",  # Required
    "aws_profile": "default",  # Optional, uses default credentials if not provided
    "hyperparameters": {
        "epochCount": 3,
        "batchSize": 4,
        "learningRate": 1e-5
    },
    "job_name": "my-finetune-job",  # Optional
    "start_endpoint": True  # Optional, whether to start an endpoint after training
}
