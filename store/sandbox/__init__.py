"""SQL that a person or a model wrote, under guard.

``client`` is the way in: it hands the text to a worker process, which checks DuckDB's own parse
tree against lists of what may be used (``tree``, ``vocabulary``), runs it over one view that holds
what the principal may see (``worker``), and sends the rows back as JSON (``cells``).
"""
