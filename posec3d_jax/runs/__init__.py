"""A run that cannot be lost: loop, checkpoints, metrics, records, evaluations."""
