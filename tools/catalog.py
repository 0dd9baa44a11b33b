"""The tools, in the order in which they are offered."""

from finops_assistant.tools.describe_data import DESCRIBE_DATA
from finops_assistant.tools.query_costs import QUERY_COSTS
from finops_assistant.tools.run_sql import RUN_SQL
from finops_assistant.tools.tool import Tool

TOOLS: tuple[Tool, ...] = (QUERY_COSTS, DESCRIBE_DATA)
# A chat model that calls tools by itself may also write SQL, where no metric fits.
MODEL_TOOLS: tuple[Tool, ...] = (*TOOLS, RUN_SQL)
