import dspy
from dspy.teleprompt import BootstrapFinetune

# Define your program
class SimpleQA(dspy.Module):
    def __init__(self):
        super().__init__()
        self.generate_answer = dspy.ChainOfThought("question -> answer")

    def forward(self, question):
        return self.generate_answer(question=question)

# Create instances
base_lm = dspy.LM("bedrock/amazon.nova-lite-v1")
program = SimpleQA()

# Attach the LM to the program
for predictor in program.predictors():
    predictor.lm = base_lm

# Create the optimizer
optimizer = BootstrapFinetune(
    train_kwargs={
        "s3_path": "s3://your-bucket/fine-tuning-data/",
        "aws_profile": "default",
        "hyperparameters": {
            "epochCount": 3,
            "batchSize": 4,
            "learningRate": 1e-5
        }
    }
)

# Compile the program
optimized_program = optimizer.compile(
    student=program,
    trainset=train_examples
)

# Use the optimized program
result = optimized_program(question="What is the capital of France?")
print(result.answer)
