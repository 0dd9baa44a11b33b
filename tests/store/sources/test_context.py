"""Telemetry and business context: every file of the contract, its checks, its tags."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.errors import LoadError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
from finops_assistant.store.sources import SOURCES
from finops_assistant.store.sources.context import CONTEXT
from tests.store.sources.conftest import Load, Loaded

# The headers of the input contract, to the letter.
HEADERS = {
    "resource-metrics": "timestamp,resource_id,metric,value",
    "training-runs": "run_id,name,model,team,project,environment,resource_ids,gpu_type,gpu_count,"
    "started_at,ended_at,status,iteration,expected_hours,last_checkpoint_at,last_metric_at,"
    "metric_name,metric_value",
    "business-metrics": "date,metric,value,product,feature,customer,team,project",
    "initiatives": "initiative,owner,team,project,stage,proposed_at,approved_at,first_spend_at,"
    "production_at,expected_monthly_value,expected_monthly_cost,kpi",
    "budgets": "budget,scope,period,amount,currency,alert_at,owner,kind,unit",
    "commitments": "commitment_id,provider,kind,scope,unit,quantity,hourly_cost,upfront_cost,"
    "start,end,payment_option",
    "rates": "date,from,to,rate",
    "owners": "kind,id,team,project,environment,cost_centre,owner",
    "events": "timestamp,kind,title,scope,link",
}
GOOD = {
    "resource-metrics": {
        "timestamp": "2026-10-01T00:00:00Z",
        "resource_id": "i-1",
        "metric": "gpu_utilization",
        "value": "41.2",
    },
    "training-runs": {"run_id": "r1", "started_at": "2026-10-01T08:00:00Z", "status": "running"},
    "business-metrics": {"date": "2026-10-01", "metric": "transactions", "value": "20952"},
    "initiatives": {"initiative": "search", "stage": "pilot"},
    "budgets": {
        "budget": "search monthly",
        "scope": "team=search;provider=OpenAI",
        "period": "month",
        "amount": "29000",
        "currency": "USD",
        "alert_at": "50;80;100",
        "kind": "budget",
    },
    "commitments": {"commitment_id": "sp-1", "provider": "AWS", "kind": "savings_plan"},
    "rates": {"date": "2026-10-01", "from": "EUR", "to": "USD", "rate": "1.09"},
    "owners": {"kind": "openai_project", "id": "proj_1", "team": "search"},
    "events": {"timestamp": "2026-10-01T09:00:00Z", "kind": "deploy", "title": "new model"},
}
BAD = [
    ("resource-metrics", {"metric": "gpu_temperature"}, "metric", "is not one of gpu_utilization"),
    ("resource-metrics", {"value": "140"}, "value", "outside 0 to 100"),
    ("resource-metrics", {"metric": "invocations", "value": "-3"}, "value", "below 0"),
    ("resource-metrics", {"value": "about 40"}, "value", "cannot be read as a number"),
    ("resource-metrics", {"timestamp": "first of May"}, "timestamp", "cannot be read"),
    ("resource-metrics", {"resource_id": ""}, "resource_id", "is empty"),
    ("training-runs", {"status": "paused"}, "status", "is not one of running"),
    ("training-runs", {"ended_at": "2026-10-02T00:00:00Z"}, "ended_at", "still running"),
    (
        "training-runs",
        {"ended_at": "2026-09-02T00:00:00Z", "status": "failed"},
        "ended_at",
        "before started_at",
    ),
    ("business-metrics", {"value": ""}, "value", "is empty"),
    ("initiatives", {"stage": "live"}, "stage", "is not one of idea"),
    ("initiatives", {"proposed_at": "2026-05-01", "production_at": "2026-04-01"}, "production_at",
     "before proposed_at"),
    ("budgets", {"amount": "0"}, "amount", "not above 0"),
    ("budgets", {"period": "week"}, "period", "is not one of month"),
    ("budgets", {"currency": "USDX"}, "currency", "cannot be read as a currency code"),
    ("budgets", {"currency": ""}, "currency", "is empty"),
    ("budgets", {"scope": "squad=search"}, "scope", "no dimension=value: squad=search"),
    ("budgets", {"scope": "team=search;provider"}, "scope", "no dimension=value: provider"),
    ("budgets", {"alert_at": "50;soon"}, "alert_at", "no percentage"),
    ("budgets", {"kind": "quota", "unit": "calls"}, "unit", "is not one of USD, tokens"),
    ("commitments", {"kind": "handshake"}, "kind", "is not one of savings_plan"),
    ("commitments", {"start": "2026-05-01", "end": "2026-04-01"}, "end", "before start"),
    ("commitments", {"hourly_cost": "-1"}, "hourly_cost", "below 0"),
    ("rates", {"rate": "0"}, "rate", "not above 0"),
    ("rates", {"from": "EURO"}, "from", "cannot be read as a currency code"),
    ("rates", {"to": "EUR"}, "to", "converts from"),
    ("owners", {"kind": "slack_channel"}, "kind", "is not one of openai_project"),
    ("events", {"kind": "party"}, "kind", "is not one of deploy"),
]  # fmt: skip
TABLES = {source.name: source.table for source in CONTEXT}


def write_file(
    path: Path, kind: str, rows: Sequence[Mapping[str, str]], header: Sequence[str] = ()
) -> Path:
    """A file of one kind; each row says how it differs from the good one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, header or HEADERS[kind].split(","), extrasaction="ignore")
        out.writeheader()
        out.writerows({**GOOD[kind], **row} for row in rows)
    return path


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of one kind: ``write("rates", [{"rate": "1.1"}])``."""

    def make(
        kind: str,
        rows: Sequence[Mapping[str, str]],
        *,
        name: str = "",
        extra: Sequence[str] = (),
        leave_out: Sequence[str] = (),
    ) -> Path:
        header = [c for c in (*HEADERS[kind].split(","), *extra) if c not in leave_out]
        return write_file(tmp_path / (name or f"{kind}.csv"), kind, rows, header)

    return make


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A good row of every kind, then its bad ones."""
    folder = tmp_path_factory.mktemp("context")
    files = folder / "files"
    files.mkdir()
    for kind in HEADERS:
        bad = [change for name, change, *_ in BAD if name == kind]
        write_file(files / f"{kind}.csv", kind, [{}, *bad])
    home = Home(folder / "home")
    return Loaded(home, ingest(home, [files], max_bad=0.95))


@pytest.mark.parametrize("kind", HEADERS)
def test_a_file_is_recognised_by_one_source_alone(kind: str) -> None:
    header = dict.fromkeys(HEADERS[kind].split(","), "VARCHAR")
    assert [source.name for source in SOURCES if source.recognises(header)] == [kind]


@pytest.mark.parametrize("kind", HEADERS)
def test_the_contracts_header_loads_into_its_table(kind: str, loaded: Loaded) -> None:
    (file,) = (f for f in loaded.report.files if f.path.endswith(f"/{kind}.csv"))
    bad = sum(name == kind for name, *_ in BAD)
    assert (file.source, file.loaded, file.quarantined) == (kind, 1, bad)
    assert loaded.one(f"SELECT count(*) FROM {TABLES[kind]}") == 1


def test_a_bad_row_is_set_aside_with_its_line_column_and_reason(loaded: Loaded) -> None:
    found = loaded.sql('SELECT file, line, "column", reason, raw FROM quarantine ORDER BY ALL')
    assert len(found) == len(BAD)
    for kind in HEADERS:
        mine = [(column, reason) for name, _, column, reason in BAD if name == kind]
        rows = [row for row in found if row[0] == f"{kind}.csv"]
        assert [row[1] for row in rows] == list(range(3, 3 + len(mine)))
        for (column, reason), (_, line, where, why, raw) in zip(mine, rows, strict=True):
            assert where == column, (kind, line)
            assert reason in why, (kind, line)
            assert raw


def test_values_keep_their_types_and_digits(load: Load, write: Any) -> None:
    loaded = load(
        write("rates", [{"rate": "1.123456789012"}]),
        write("training-runs", [{"gpu_count": "8", "expected_hours": "56.5"}]),
        write("initiatives", [{"stage": "Production", "approved_at": "2025-06-20"}]),
    )
    assert loaded.sql('SELECT date, "from", "to", rate FROM rates') == [
        (date(2026, 10, 1), "EUR", "USD", Decimal("1.123456789012"))
    ]
    assert loaded.sql(
        "SELECT gpu_count, expected_hours, started_at::VARCHAR, ended_at FROM training_runs"
    ) == [(Decimal(8), Decimal("56.5"), "2026-10-01 08:00:00", None)]
    assert loaded.sql("SELECT stage, approved_at, production_at FROM initiatives") == [
        ("production", date(2025, 6, 20), None)
    ]


def test_a_zone_is_read_and_not_dropped(load: Load, write: Any) -> None:
    loaded = load(write("resource-metrics", [{"timestamp": "2026-10-01T02:00:00+02:00"}]))
    assert loaded.one("SELECT timestamp::VARCHAR FROM resource_metrics") == "2026-10-01 00:00:00"


def test_unknown_columns_become_tags(load: Load, write: Any) -> None:
    rows = [{"initiative": "semantic-search", "shift": ""}, {"metric": "orders", "shift": "late"}]
    loaded = load(write("business-metrics", rows, extra=["initiative", "shift"]))
    assert loaded.sql("SELECT metric, tags FROM business_metrics ORDER BY metric") == [
        ("orders", '{"shift":"late"}'),
        ("transactions", '{"initiative":"semantic-search"}'),
    ]


def test_a_later_file_wins_key_by_key(load: Load, write: Any) -> None:
    load(write("rates", [{"rate": "1.1"}, {"date": "2026-11-01", "rate": "1.2"}]))
    loaded = load(write("rates", [{"rate": "1.3"}], name="later.csv"))
    assert loaded.file.restated == 1
    assert loaded.sql("SELECT date, rate FROM rates ORDER BY date") == [
        (date(2026, 10, 1), Decimal("1.3")),
        (date(2026, 11, 1), Decimal("1.2")),
    ]


def test_the_same_file_twice_changes_nothing(load: Load, write: Any) -> None:
    first = load(write("events", [{}]))
    again = load(write("events", [{}], name="copy.csv"))
    assert again.file.status == "unchanged"
    assert again.sql("SELECT count(*) FROM events") == first.sql("SELECT count(*) FROM events")


def test_metrics_of_two_teams_on_one_day_are_two_rows(load: Load, write: Any) -> None:
    rows = [{"team": "search", "value": "1"}, {"team": "ads", "value": "2"}, {"value": "4"}]
    loaded = load(write("business-metrics", rows))
    assert loaded.one("SELECT sum(value) FROM business_metrics") == 7


def test_a_file_without_a_needed_column_is_refused_by_its_name(load: Load, write: Any) -> None:
    path = write("owners", [{}], leave_out=["id"])
    with pytest.raises(LoadError, match=r"resembles .*owners.* no column id"):
        load(path)
    path = write("budgets", [{}], leave_out=["kind"])
    with pytest.raises(LoadError, match="kind"):
        load(path)


def test_too_many_bad_rows_refuse_the_file(load: Load, write: Any) -> None:
    with pytest.raises(LoadError, match="is not one of"):
        load(write("events", [{}, {"kind": "party", "title": "x"}]))


def test_parquet_is_read_like_csv(load: Load, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "metrics.parquet"
    duckdb.execute(
        "COPY (SELECT TIMESTAMPTZ '2026-10-01 00:00:00+00' AS timestamp, 'i-1' AS resource_id, "
        f"'gpu_utilization' AS metric, 41.25::DOUBLE AS value, 'a' AS zone) TO '{path}'"
    )
    loaded = load(path)
    assert loaded.sql("SELECT timestamp::VARCHAR, value, tags FROM resource_metrics") == [
        ("2026-10-01 00:00:00", Decimal("41.25"), '{"zone":"a"}')
    ]
