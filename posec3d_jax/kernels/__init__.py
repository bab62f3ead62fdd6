"""Each backend's fastest form of an operation, all equal in value."""
