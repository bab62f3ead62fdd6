"""Scripts that call the package: the demonstration, cross-validation, launchers."""
