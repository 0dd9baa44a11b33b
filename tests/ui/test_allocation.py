"""``finops allocation``: as JSON and in words, by period and dimension, as a principal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finops_assistant.store.errors import UsageError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home
from finops_assistant.ui import cli
from finops_assistant.ui.allocation import Period, period_of

HEADER = (
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingAccountId,BillingAccountName,"
    "BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,ChargeClass,"
    "ChargeDescription,ChargePeriodStart,ChargePeriodEnd,InvoiceIssuerName,ProviderName,"
    "PublisherName,PricingQuantity,PricingUnit,ServiceCategory,ServiceName,Tags"
)
RULES = """
[[allocation]]
name = "vectors | <b>"
scope = "project=vector-store"
to = "initiative"
method = "fixed"
shares = { search = 0.6, help = 0.4 }

[[allocation]]
name = "gateway"
scope = "project=gateway"
to = "initiative"
method = "proxy"
metric = "calls"

[[allocation]]
name = "nothing"
scope = "service=Nowhere"
to = "team"
method = "even"
targets = ["search"]
"""
PRINCIPALS = """
[principals.finance]
[principals.lead.allow]
team = ["search"]
[principals.blind]
hide = ["EffectiveCost"]
"""


def line(day: str, cost: str, service: str, **tags: str) -> str:
    month = date.fromisoformat(f"{day[:7]}-01")
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    tagged = json.dumps(tags).replace('"', '""')
    return (
        f"{cost},{cost},{cost},{cost},a,A,USD,{month},{after},Usage,,x,{day}T00:00:00Z,"
        f'{day}T23:00:00Z,AWS,AWS,AWS,1,Hours,Compute,{service},"{tagged}"'
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("allocation")
    home = folder / "home"
    home.mkdir()
    (home / "finops.toml").write_text(RULES + PRINCIPALS)
    bill, calls = folder / "bill.csv", folder / "calls.csv"
    bill.write_text(
        "\n".join(
            [
                HEADER,
                line("2026-09-30", "7", "EC2", team="search", initiative="search"),
                line("2026-10-01", "60", "EC2", team="search", initiative="search"),
                line("2026-10-02", "30", "EC2", team="ml", initiative="help"),
                line("2026-10-03", "10", "OpenSearch", team="platform", project="vector-store"),
                line("2026-10-31", "8", "EC2", team="platform", project="gateway"),
            ]
        )
    )
    calls.write_text(
        "date,metric,value,initiative\n2026-10-01,calls,3,search\n2026-10-02,calls,1,\n"
    )
    ingest(Home(home), [bill, calls])
    return home


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as finance: exit code, stdout, stderr."""

    def command(*arguments: str, principal: str = "finance") -> tuple[int, str, str]:
        capsys.readouterr()
        found = ["--home", str(folder), "allocation", "--as", principal, *arguments]
        return cli.main(found), *capsys.readouterr()

    return command


def read(run: Run, *arguments: str, principal: str = "finance") -> dict[str, Any]:
    code, out, _ = run("--json", *arguments, principal=principal)
    assert code == 0
    found: dict[str, Any] = json.loads(out, parse_float=Decimal)
    return found


def test_json_has_rules_splits_and_full_costs_that_add_up(run: Run) -> None:
    found = read(run)
    assert (found["as_of"], found["start"], found["end"]) == (
        "2026-11-01",
        "2026-10-01",
        "2026-11-01",
    )
    split = {rule["name"]: rule["split"] for rule in found["rules"]}
    assert split["nothing"] == []
    for name, cost in (("vectors | <b>", 10), ("gateway", 8)):
        ((proof,),) = (split[name],)
        assert proof["effective"] == proof["parts_effective"] == cost
        assert proof["exact"]
    assert {
        (s["rule"], s["target"]): (s["effective"], s["share"]) for s in found["allocations"]
    } == {
        ("vectors | <b>", "search"): (6, Decimal("0.6")),
        ("vectors | <b>", "help"): (4, Decimal("0.4")),
        ("gateway", "search"): (6, Decimal("0.75")),
        ("gateway", "(untagged)"): (2, Decimal("0.25")),
    }
    full = {one["target"]: one for one in found["full_costs"]}
    assert {name: one["total"] for name, one in full.items()} == {
        "search": 72,
        "help": 34,
        "(untagged)": 2,
    }
    assert full["search"]["direct"] == {"other": 60}
    assert full["search"]["allocated"] == {"vectors | <b>": 6, "gateway": 6}
    assert sum(one["total"] for one in full.values()) == 108


def test_words_say_the_same_and_markup_of_data_stays_text(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    assert "**Full effective cost by initiative**, 2026-10-01 to 2026-10-31." in out
    assert "| search | USD | 72.00 | 60.00 | 6.00 | 6.00 |" in out
    assert "| **all** | USD | 108.00 |" in out
    assert "splits 10.00 USD of project=vector-store (1 charge), and its parts add up to it." in out
    assert "nothing in these days is in its scope, service=Nowhere." in out
    assert "<b>" not in out
    assert "3 of 4 calls, metered on 2 of 31 days" in out


def test_by_and_period(run: Run) -> None:
    found = read(run, "--by", "team", "--period", "2026")
    assert (found["start"], found["end"]) == ("2026-01-01", "2026-11-01")
    assert {one["target"]: one["total"] for one in found["full_costs"]} == {
        "search": 67,
        "ml": 30,
        "platform": 18,
    }
    assert found["allocations"] == []
    assert read(run, "--period", "2026-09")["full_costs"][0]["total"] == 7


def test_a_principal_sees_what_is_its_own(run: Run) -> None:
    found = read(run, principal="lead")
    assert found["restricted"]
    assert {one["target"]: one["total"] for one in found["full_costs"]} == {"search": 72}
    assert {s["target"] for s in found["allocations"]} == {"search"}
    assert [(rule["scope"], rule["split"]) for rule in found["rules"]][:2] == [(None, [])] * 2
    _, out, _ = run(principal="lead")
    assert "splits more than you may see" in out
    assert "vector-store" not in out
    assert "platform" not in out


@pytest.mark.parametrize("principal", ["blind", "nobody"])
def test_a_principal_that_may_not_see_it_is_refused(run: Run, principal: str) -> None:
    code, out, error = run("--json", principal=principal)
    assert code == 3
    assert json.loads(out)["reason"] == "no_permission"
    assert error.count("\n") == 1


@pytest.mark.parametrize("period", ["2026-13", "october", "2026-Q5", "26", "0000", "9999"])
def test_a_period_that_is_none_is_said(run: Run, period: str) -> None:
    code, _, error = run("--period", period)
    assert code == 2
    assert "no period" in error


def test_a_period_that_has_not_begun_is_said(run: Run) -> None:
    code, _, error = run("--period", "2026-11")
    assert code == 2
    assert "has not begun" in error


def test_periods() -> None:
    today = date(2026, 11, 20)
    assert period_of(None, date(2026, 1, 1)) == Period(date(2025, 12, 1), date(2026, 1, 1))
    assert period_of("2025", today) == Period(date(2025, 1, 1), date(2026, 1, 1))
    assert period_of("2025-12", today) == Period(date(2025, 12, 1), date(2026, 1, 1))
    assert period_of("2026-q4", today) == Period(date(2026, 10, 1), today)
    with pytest.raises(UsageError):
        period_of("2027", today)
