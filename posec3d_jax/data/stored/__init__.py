"""Prepared data sets on disk: their facts, clips and skeletons, and how they are opened."""
