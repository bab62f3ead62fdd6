"""What runs a trained network on prepared clips: XLA of a run, ONNX Runtime of an exported one."""
