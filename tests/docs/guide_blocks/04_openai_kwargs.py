train_kwargs = {
    "n_epochs": 3,
    "batch_size": 4,
    "learning_rate_multiplier": 1.0
}
