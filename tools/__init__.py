"""What the assistant can do: one capability a file."""
