"""How a question becomes an answer: plan, tool calls, grounded answer."""
