"""Config keys: what they are, their ranges, networks' options, configs of stored runs."""
