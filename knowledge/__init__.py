"""What good looks like: FinOps guidance, indexed for retrieval."""
