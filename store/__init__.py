"""What was spent: FOCUS-normalised cost and usage, and the metrics and dimensions over it."""
