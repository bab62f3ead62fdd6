"""Strangers' files, read without executing them, and writing that a crash cannot halve."""
