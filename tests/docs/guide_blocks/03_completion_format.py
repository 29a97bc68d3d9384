completion_data = [
    {
        "prompt": "What is the capital of France?",
        "completion": "Paris is the capital of France."
    }
]
