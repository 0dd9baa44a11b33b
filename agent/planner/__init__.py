"""The embedded planner: from a question to a plan, with no model behind it."""
