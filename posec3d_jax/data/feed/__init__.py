"""From stored clips to batches: order, sampling, and the pipelines that feed a step."""
