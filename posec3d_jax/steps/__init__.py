"""The jitted steps: recogniser, training state, optimizer, test protocol, metrics."""
