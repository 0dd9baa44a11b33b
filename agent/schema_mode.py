"""Schema mode: a chat model that follows a JSON schema, worn as one that calls tools.

Small local models seldom call tools by themselves, yet keep to a schema that the server enforces.
The bound tools become one schema, ``{"step": {"tool": …, "args": …}}``, and the reply becomes a
tool call again. Once a tool has given a result the model is not asked to phrase it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel, generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

NONE = "none"
LONGEST_LIST = 4
LONGEST_REPLY = 800  # tokens; a plan takes a quarter of it


class SchemaChatModel(BaseChatModel):
    """``inner`` asked for one step at a time under a JSON schema of the bound tools."""

    inner: BaseChatModel
    functions: list[dict[str, Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "finops-schema"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> SchemaChatModel:
        """The same model with these tools as its possible steps."""
        functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
        return SchemaChatModel(inner=self.inner, functions=functions)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        last = messages[-1]
        if isinstance(last, ToolMessage) and (last.artifact or {}).get("results"):
            return ChatResult(generations=[ChatGeneration(message=AIMessage(""))])
        form = {
            "type": "json_schema",
            "json_schema": {"name": "step", "strict": False, "schema": self.form()},
        }
        # As a plain field of the request: the client library would else parse the reply itself.
        reply = generate_from_stream(
            self.inner._stream(
                _plain(messages),
                stop,
                run_manager,
                extra_body={"response_format": form, "max_tokens": LONGEST_REPLY},
            )
        )
        generation = reply.generations[0]
        said = generation.message
        message = as_step(str(said.text))
        message.response_metadata = {
            **(generation.generation_info or {}),
            **said.response_metadata,
        }
        if isinstance(said, AIMessage):
            message.usage_metadata = said.usage_metadata
        return ChatResult(generations=[ChatGeneration(message=message)])

    def form(self) -> dict[str, Any]:
        """The schema of one step: a call of one of the tools, or none with the reason."""
        steps = [
            _closed(tool={"const": function["name"]}, args=_spelled(function["parameters"]))
            for function in self.functions
        ]
        steps.append(_closed(tool={"const": NONE}, reason={"type": "string", "maxLength": 200}))
        return _closed(step={"anyOf": steps})


def as_step(text: str) -> AIMessage:
    """A reply as the message of a model that calls tools; an unreadable one is an invalid call."""
    try:
        step = json.loads(_unfenced(text))["step"]
        if step["tool"] == NONE:
            return AIMessage(str(step.get("reason", "")))
        name, arguments = step["tool"], step["args"]
        if not (isinstance(name, str) and isinstance(arguments, dict)):
            raise TypeError("a step needs a tool's name and its arguments")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        wrong = f"not one JSON object of the form asked for ({type(error).__name__})"
        return AIMessage(
            "",
            invalid_tool_calls=[
                {
                    "type": "invalid_tool_call",
                    "name": None,
                    "args": text,
                    "id": "step",
                    "error": wrong,
                }
            ],
        )
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "step"}])


def _unfenced(text: str) -> str:
    """The JSON of a reply from a server that ignores the schema and wraps it in a code block."""
    fenced = re.search(r"```(?:json)?\s*(\{.*\})\s*```", text, re.DOTALL)
    return fenced[1] if fenced else text


def _plain(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The conversation without tool messages, which such a server may not know."""
    plain: list[BaseMessage] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            plain.append(HumanMessage(f"{message.content}\nGive another step."))
        elif isinstance(message, AIMessage) and message.tool_calls:
            call = message.tool_calls[0]
            step = {"step": {"tool": call["name"], "args": call["args"]}}
            plain.append(AIMessage(json.dumps(step, default=str)))
        else:
            plain.append(message)
    return plain


def _spelled(parameters: dict[str, Any]) -> dict[str, Any]:
    """The arguments with the lists of names required and short: small models leave out what they
    may, fill in what they must, and do not know when a list ends."""
    properties = dict(parameters.get("properties", {}))
    listed = [n for n, s in properties.items() if "enum" in s.get("items", {})]
    for name in listed:
        most = min(LONGEST_LIST, len(properties[name]["items"]["enum"]))
        properties[name] = {**properties[name], "maxItems": most}
    required = [n for n in properties if n in listed or n in parameters.get("required", ())]
    return {**parameters, "properties": properties, "required": required}


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
