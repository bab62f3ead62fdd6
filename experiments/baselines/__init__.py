"""Plain classifiers on the same clips and splits: what a network is held against."""
