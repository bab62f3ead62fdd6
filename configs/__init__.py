"""Configurations: one file a data set, variants by argument (`configs/ntu60_xsub.py:limb`)."""
