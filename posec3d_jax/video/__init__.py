"""Videos: what a file holds, and its frames upright with exact times; on the host, without jax."""
