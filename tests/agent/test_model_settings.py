"""Which model is used, how it is spoken to, what it costs, and what is said about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finops_assistant.agent import models, pricing
from finops_assistant.agent.answer import Usage
from finops_assistant.agent.models import ModelChoice, choose, describe
from finops_assistant.store.errors import UsageError
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.settings import Home, Settings
from finops_assistant.tools.catalog import MODEL_TOOLS
from finops_assistant.tools.schema import Names

LOCAL = "http://127.0.0.1:11434/v1"


def test_nothing_set_is_no_model() -> None:
    assert choose(Settings(), environ={}) is None
    assert "nothing leaves this machine" in describe(Settings())


def test_a_key_alone_takes_the_default_model() -> None:
    choice = choose(Settings(), environ={"OPENAI_API_KEY": "sk-very-secret"})
    assert choice is not None
    assert (choice.name, choice.base_url, choice.mode) == (models.DEFAULT_MODEL, None, "tools")
    assert (choice.timeout, choice.named) == (120.0, False)
    assert "sk-very" not in repr(choice)


def test_an_address_needs_no_key_and_takes_schema_mode() -> None:
    choice = choose(Settings(), environ={"OPENAI_BASE_URL": LOCAL, "FINOPS_MODEL": "qwen"})
    assert choice is not None
    assert (choice.name, choice.mode, choice.key) == ("qwen", "schema", None)
    watch = pytest.importorskip("finops_assistant.agent.wire").Watch(1)
    model, client = models.build(choice, watch)
    client.close()
    assert model.__class__.__name__ == "SchemaChatModel"


def test_flags_come_before_the_environment_and_that_before_the_file() -> None:
    settings = Settings(model={"name": "file", "base_url": LOCAL, "mode": "tools", "timeout": 7})
    from_file = choose(settings, environ={})
    assert from_file is not None
    assert (from_file.name, from_file.mode, from_file.timeout) == ("file", "tools", 7.0)
    environ = {
        "FINOPS_MODEL": "env",
        "FINOPS_MODEL_MODE": "schema",
        "FINOPS_MODEL_TIMEOUT": "9.5",
        "OPENAI_BASE_URL": "https://models.example/v1",
    }
    found = choose(settings, environ=environ)
    assert found is not None
    assert (found.name, found.mode, found.timeout) == ("env", "schema", 9.5)
    assert found.host == "models.example"
    flagged = choose(settings, "flag", environ)
    assert flagged is not None
    assert flagged.name == "flag"


@pytest.mark.parametrize(
    ("table", "environ", "said"),
    [
        ({"nmae": "x"}, {}, "Did you mean name"),
        ({"name": 7}, {}, "must be a text"),
        ({"name": "x", "mode": "magic"}, {}, "auto, tools, schema"),
        ({"name": "x", "timeout": 0}, {}, "number of seconds"),
        ({"name": "x"}, {"FINOPS_MODEL_TIMEOUT": "soon"}, "number of seconds"),
        ({"name": "x"}, {"FINOPS_MODEL_TIMEOUT": "nan"}, "number of seconds"),
        ({"name": "x"}, {"OPENAI_BASE_URL": "localhost:11434"}, "http://"),
    ],
)
def test_settings_that_mean_nothing(
    table: dict[str, object], environ: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        choose(Settings(model=table), environ=environ)


def test_the_table_is_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "finops.toml").write_text(
        '[model]\nname = "qwen"\nbase_url = "http://[::1]:1/v1"\n'
    )
    choice = choose(Home(tmp_path).settings(), environ={})
    assert choice is not None
    assert choice.name == "qwen"


def test_status_says_what_leaves_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    said = describe(Settings())
    assert models.DEFAULT_MODEL in said
    assert "leave this machine" in said
    assert "--route planner" in said
    assert "secret" not in said
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:pass@127.0.0.1:8080/v1")
    said = describe(Settings())
    assert "stay on this machine" in said
    assert "pass" not in said


def test_cost_is_the_list_price_or_unknown() -> None:
    hosted = ModelChoice("gpt-4o-mini")
    # 0.15 and 0.60 USD per million tokens of input and output
    assert pricing.cost_usd(hosted, 1_000_000, 1_000_000) == pytest.approx(0.75)
    assert pricing.cost_usd(ModelChoice("no-such-model-1"), 10, 10) is None
    assert pricing.cost_usd(ModelChoice("gpt-4o-mini", LOCAL), 10, 10) is None
    assert pricing.usage_of(hosted, 10, 10, known=False).cost_usd is None
    assert pricing.words(Usage("m", 1000, 204, None)) == "1,204 tokens with m, cost unknown"
    assert pricing.words(Usage("m", 1000, 204, 0.00041)) == "1,204 tokens with m, $0.0004"
    assert pricing.words(Usage()) == ""


def test_the_schemas_of_all_tools_stay_small() -> None:
    semantics = load_semantics()
    names = Names(tuple(semantics.metrics), tuple(semantics.dimensions))
    schemas = {tool.name: tool.schema(names) for tool in MODEL_TOOLS}
    told = {tool.name: tool.description for tool in MODEL_TOOLS}
    assert len(json.dumps(schemas)) + len(json.dumps(told)) < 6_000
    text = json.dumps(schemas)
    for planners_own in ("canonical", "score", "method", "source", "partial", "title", "$ref"):
        assert f'"{planners_own}"' not in text
    arguments = schemas["query_costs"]["properties"]
    assert arguments["metrics"]["items"]["enum"] == list(semantics.metrics)
    assert arguments["dimensions"]["items"]["enum"] == list(semantics.dimensions)


def test_a_query_in_a_models_words_is_the_planners_query() -> None:
    from finops_assistant.agent.model_prompt import wire
    from finops_assistant.store.query import MetricQuery

    written = {
        "metrics": ["gpu_hours"],
        "dimensions": ["team"],
        "time": {"start": "2026-07-01", "end": "2026-10-01"},
        "filters": [{"dimension": "environment", "op": "not_in", "values": ["staging"]}],
        "order": [{"by": "gpu_hours"}],
        "show": "table",
    }
    query = MetricQuery.model_validate(written)
    assert query.filters[0].values[0].canonical == "staging"
    assert wire(query) == written
