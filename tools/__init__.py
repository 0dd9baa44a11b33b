"""What the assistant can do: one capability a file, listed in ``tools.catalog.TOOLS``."""
