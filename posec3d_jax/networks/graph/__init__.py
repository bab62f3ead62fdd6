"""Graph networks: joints [B, M, T, V, C] to named logits, one file each."""
