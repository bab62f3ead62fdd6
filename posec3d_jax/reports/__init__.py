"""What people look at: reports, charts, drawings of clips, inspection, summaries."""
