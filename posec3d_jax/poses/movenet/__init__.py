"""MoveNet in JAX: Google's pose networks Lightning, Thunder and MultiPose, with their weights."""
