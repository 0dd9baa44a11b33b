"""The tools, in the order in which they are offered."""

from finops_assistant.tools.describe_data import DESCRIBE_DATA
from finops_assistant.tools.query_costs import QUERY_COSTS
from finops_assistant.tools.tool import Tool

TOOLS: tuple[Tool, ...] = (QUERY_COSTS, DESCRIBE_DATA)
