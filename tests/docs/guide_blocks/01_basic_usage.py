import dspy
from dspy.clients.utils_finetune import TrainDataFormat

# Enable experimental features (required for fine-tuning)
dspy.settings.experimental = True

# Create an LM instance with the model you want to fine-tune
lm = dspy.LM(model="bedrock/amazon.nova-lite-v1")

# Prepare your training data
train_data = [
    {
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": "The capital of France is Paris."}
        ]
    },
    # Add more examples...
]

# Start fine-tuning
job = lm.finetune(
    train_data=train_data,
    train_data_format=TrainDataFormat.CHAT,
    train_kwargs={
        # Provider-specific parameters
        "s3_path": "s3://your-bucket/fine-tuning-data/",
        "aws_profile": "default",  # Optional
        "hyperparameters": {
            "epochCount": 3,
            "batchSize": 4,
            "learningRate": 1e-5
        }
    }
)

# Wait for the job to complete
finetuned_model = job.result()

# Use the fine-tuned model
finetuned_lm = dspy.LM(model=finetuned_model)
response = finetuned_lm("What is the capital of Germany?")
print(response)
