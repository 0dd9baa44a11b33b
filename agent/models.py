"""Which chat model reads questions, if any, and how it is reached.

Settings come from flags, then the environment, then the ``[model]`` table of ``finops.toml``.
Nothing here imports the client library before a model is really called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from finops_assistant.store.errors import FinopsError, UsageError, suggest
from finops_assistant.store.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models.chat_models import BaseChatModel

    from finops_assistant.agent.wire import Watch

Mode = Literal["tools", "schema"]

DEFAULT_MODEL = "gpt-5-mini"
OPENAI_HOST = "api.openai.com"
NAME_VARIABLE, MODE_VARIABLE = "FINOPS_MODEL", "FINOPS_MODEL_MODE"
TIMEOUT_VARIABLE = "FINOPS_MODEL_TIMEOUT"
URL_VARIABLE, KEY_VARIABLE = "OPENAI_BASE_URL", "OPENAI_API_KEY"
MODES = ("auto", "tools", "schema")
ENTRIES = ("name", "base_url", "mode", "timeout")
TURN_SECONDS = 120.0  # for everything a model does about one question
REQUEST_SECONDS = 30.0  # of silence, from a hosted service
CONNECT_SECONDS = 5.0
RETRIES = 2


class ModelTrouble(FinopsError):
    """The model could not be asked, or its reply could not be used; one plain sentence.

    ``what`` is the same in a few words without figures, for an answer given all the same.
    """

    def __init__(self, sentence: str, what: str) -> None:
        super().__init__(sentence)
        self.what = what


@dataclass(frozen=True)
class ModelChoice:
    """A chat model: its name, where it is, how it is spoken to. ``base_url`` None is OpenAI.

    ``timeout`` is in seconds, for a whole turn. ``named`` says whether someone chose the name.
    """

    name: str
    base_url: str | None = None
    mode: Mode = "tools"
    timeout: float = TURN_SECONDS
    named: bool = True
    key: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Where questions go, without any credentials that the address carries."""
        parts = urlsplit(self.base_url or f"https://{OPENAI_HOST}")
        name = parts.hostname or "an address without a host"
        return f"{name}:{parts.port}" if parts.port else name

    @property
    def hosted(self) -> bool:
        """Whether it is OpenAI itself."""
        return self.host.partition(":")[0] == OPENAI_HOST


def choose(
    settings: Settings, flag: str | None = None, environ: Mapping[str, str] | None = None
) -> ModelChoice | None:
    """The model that is configured; None when there is none. Raises ``UsageError`` for a setting
    that means nothing.

    A key without a name takes ``DEFAULT_MODEL``; an address needs no key.
    """
    found = os.environ if environ is None else environ
    table = _table(settings)
    name = flag or found.get(NAME_VARIABLE) or table.get("name")
    base_url = found.get(URL_VARIABLE) or table.get("base_url")
    key = found.get(KEY_VARIABLE)
    if not (name or base_url or key):
        return None
    if base_url and urlsplit(base_url).scheme not in ("http", "https"):
        raise UsageError(
            f"The model's address must begin with http:// or https://; see {URL_VARIABLE}."
        )
    choice = ModelChoice(name or DEFAULT_MODEL, base_url or None, named=bool(name), key=key)
    mode = found.get(MODE_VARIABLE) or table.get("mode") or "auto"
    if mode not in MODES:
        raise UsageError(f"{MODE_VARIABLE} is {mode!r}; it can be {', '.join(MODES)}.")
    if mode == "auto":
        # Few models that run beside a person call tools dependably; all follow a schema.
        mode = "tools" if choice.hosted else "schema"
    return ModelChoice(
        choice.name,
        choice.base_url,
        cast("Mode", mode),
        _seconds(found.get(TIMEOUT_VARIABLE) or table.get("timeout", TURN_SECONDS)),
        choice.named,
        key,
    )


def describe(settings: Settings, flag: str | None = None) -> str:
    """Which model is used and what leaves this machine, in two sentences for ``status``."""
    choice = choose(settings, flag)
    if choice is None:
        return (
            "Model: none. The built-in planner reads every question; nothing leaves this machine."
        )
    default = "" if choice.named else f" (the default; {NAME_VARIABLE} names another)"
    here = _loopback(choice.host)
    leaves = "stay on this machine" if here else "leave this machine"
    return (
        f"Model: {choice.name}{default} at {choice.host}, {choice.mode} mode. Questions that the "
        "built-in planner is not sure of go there, with names from the data and the cells of "
        f"their results: they {leaves}. --route planner asks no model."
    )


def build(choice: ModelChoice, watch: Watch) -> tuple[BaseChatModel, Any]:
    """The chat model and its HTTP client, which the caller closes.

    Raises ``ModelTrouble`` when there is neither a key nor an address.
    """
    if choice.key is None and choice.base_url is None:
        raise ModelTrouble(
            f"The model {choice.name} needs {KEY_VARIABLE}, or {URL_VARIABLE} for a server of "
            "your own; --route planner needs neither.",
            "has no key and no address",
        )
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    from finops_assistant.agent import wire
    from finops_assistant.agent.schema_mode import SchemaChatModel

    # A server on a CPU is silent while it reads the prompt; the turn's deadline still holds.
    silence = min(REQUEST_SECONDS, choice.timeout) if choice.hosted else choice.timeout
    client = wire.client(silence, min(CONNECT_SECONDS, choice.timeout), watch)
    model = ChatOpenAI(
        model=choice.name,
        base_url=choice.base_url or f"https://{OPENAI_HOST}/v1",
        api_key=SecretStr(choice.key or "none"),
        timeout=client.timeout,
        max_retries=RETRIES,
        streaming=True,
        stream_usage=True,
        use_responses_api=False,
        temperature=None if choice.hosted else 0,  # newer hosted models refuse the setting
        http_client=client,
    )
    return (SchemaChatModel(inner=model) if choice.mode == "schema" else model), client


def trouble(error: BaseException, choice: ModelChoice) -> ModelTrouble:
    """What went wrong with the endpoint, in one plain sentence with the way out."""
    import openai
    from langchain_core.exceptions import ModelError

    who = f"The model {choice.name} at {choice.host}"

    def said(what: str, way_out: str) -> ModelTrouble:
        return ModelTrouble(f"{who} {what}: {way_out}.", what)

    again = "try again, or ask with --route planner"
    if _broken_off(error):
        return said("broke off in the middle of its reply", again)
    match error:
        case openai.AuthenticationError():
            return said("refused the key", f"check {KEY_VARIABLE}")
        case openai.PermissionDeniedError():
            return said("is not open to this key", f"check {KEY_VARIABLE}, or name another model")
        case openai.NotFoundError():
            return said("was not found", f"check {NAME_VARIABLE} and {URL_VARIABLE}")
        case openai.RateLimitError():
            return said("is over its limit", "wait a little, raise the quota, or --route planner")
        case openai.APITimeoutError():
            return said("did not answer in time", again)
        case openai.APIConnectionError():
            return said("cannot be reached", f"check {URL_VARIABLE} and that it runs")
        case openai.BadRequestError() | openai.UnprocessableEntityError():
            return said("refused the request", f"set {MODE_VARIABLE}, or name another model")
        case openai.APIStatusError():
            return said("failed", f"it answered {error.status_code}; {again}")
        case openai.APIError() | ModelError():
            return said("reported an error in its reply", again)
    return said("gave a reply that is not in the form of the API", f"check {URL_VARIABLE}")


def _broken_off(error: BaseException | None) -> bool:
    import httpx2

    broken = httpx2.RemoteProtocolError | httpx2.ReadError | EarlyEnd
    while error is not None:
        if isinstance(error, broken):
            return True
        error = error.__cause__
    return False


class EarlyEnd(RuntimeError):
    """A reply that ended without saying that it had."""


def _table(settings: Settings) -> Mapping[str, Any]:
    table = settings.model
    if not isinstance(table, Mapping):
        raise UsageError('finops.toml: model must be a table, such as [model] with name = "…".')
    for key, value in table.items():
        if key not in ENTRIES:
            near = suggest(key, ENTRIES, limit=1)
            hint = f" Did you mean {near[0]}?" if near else f" Known: {', '.join(ENTRIES)}."
            raise UsageError(f"finops.toml, [model]: unknown entry {key!r}.{hint}")
        if key != "timeout" and not isinstance(value, str):
            raise UsageError(f"finops.toml, [model]: {key} must be a text.")
    return table


def _seconds(given: object) -> float:
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise UsageError(
            f"The model's timeout is {given!r}; it is a number of seconds, up to an hour "
            f"({TIMEOUT_VARIABLE})."
        )
    return seconds


def _loopback(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    return name in ("localhost", "::1") or name.startswith("127.")
