"""Benchmarks: scripts that call the package; run them with `python -m benchmarks.<name>`."""
