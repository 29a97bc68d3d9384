chat_data = [
    {
        "messages": [
            {"role": "system", "content": "You are a helpful assistant specialized in geography."},
            {"role": "user", "content": "What is the capital of France?"},
            {"role": "assistant", "content": "The capital of France is Paris."}
        ]
    }
]
