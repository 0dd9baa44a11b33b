"""Which relations free SQL may read: for whom, and up to which day."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from finops_assistant.store.access import Principal
from finops_assistant.store.errors import QueryRefused
from finops_assistant.store.ingest import ingest
from finops_assistant.store.sandbox.client import Sandbox
from finops_assistant.store.sandbox.relations import relations_of
from finops_assistant.store.settings import Home
from finops_assistant.store.tables import TABLES
from tests.store.conftest import BILL_ROW

TOKENS = {"ConsumedUnit": "Tokens", "ServiceName": "Amazon Bedrock"}
SEARCH, ADS = {"Tags": '{"team": "search"}'}, {"Tags": '{"team": "ads"}'}
ALL = ("focus", "focus_split", "usage", "allocated", *TABLES)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("relations")
    rows = [
        ("2024-09-01", {"BilledCost": "3", "ConsumedQuantity": "1000", **TOKENS, **SEARCH}),
        ("2024-09-02", {"BilledCost": "5", "ConsumedQuantity": "2000", **TOKENS, **ADS}),
        ("2024-09-03", {"BilledCost": "7", **SEARCH}),
    ]
    with (folder / "bill.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(BILL_ROW))
        writer.writeheader()
        for day, row in rows:
            times = {"ChargePeriodStart": f"{day} 00:00:00", "ChargePeriodEnd": f"{day} 23:00:00"}
            writer.writerow({**BILL_ROW, **times, **row})
    (folder / "events.csv").write_text(
        "timestamp,kind,title\n2024-09-01T12:00:00Z,deploy,one\n2024-09-03T12:00:00Z,price,two\n"
    )
    home = Home(folder / "home")
    ingest(home, [folder / "bill.csv", folder / "events.csv"])
    made = Sandbox(home)
    yield made
    made.close()


def test_every_relation_can_be_read(sandbox: Sandbox) -> None:
    for name in ALL:
        found = sandbox.run(f"SELECT count(*) AS n FROM {name}")
        assert found.columns[0].unit == "count", name
    assert sandbox.run("SELECT title FROM events ORDER BY 1").rows == (("one",), ("two",))


def test_relations_meet(sandbox: Sandbox) -> None:
    found = sandbox.run(
        """
        WITH cost AS (SELECT x_Team AS team, sum(BilledCost) AS cost FROM focus GROUP BY 1),
        used AS (SELECT x_Team AS team, sum(Tokens) AS tokens FROM usage WHERE Chosen GROUP BY 1)
        SELECT team, cost, tokens FROM cost LEFT JOIN used USING (team) ORDER BY team
        """
    )
    assert found.rows == (
        ("ads", Decimal(5), Decimal(2000)),
        ("search", Decimal(10), Decimal(1000)),
    )
    assert [column.unit for column in found.columns] == ["text", "money", "tokens"]
    assert {"BilledCost", "x_Team", "Tokens", "Chosen"} == found.reads


def test_what_starts_later_is_not_there(sandbox: Sandbox) -> None:
    for name, left in (("focus", 1), ("usage", 1), ("events", 1)):
        found = sandbox.run(f"SELECT count(*) FROM {name}", before=date(2024, 9, 2))
        assert found.rows == ((left,),), name


def test_rows_and_columns_of_a_principal(sandbox: Sandbox) -> None:
    ads = Principal(name="ann", allow={"team": ("ads",)})
    assert sandbox.run("SELECT x_Team, Tokens FROM usage", ads).rows == (("ads", Decimal(2000)),)
    blind = Principal(name="bob", hide=frozenset({"ConsumedQuantity"}))
    with pytest.raises(QueryRefused, match="may not see Tokens"):
        sandbox.run("SELECT Tokens FROM usage", blind)


@pytest.mark.parametrize(
    "principal",
    [
        Principal(name="ann", allow={"team": ("ads",)}),
        Principal(name="bob", hide=frozenset({"ListCost"})),
    ],
    ids=["rows", "columns"],
)
def test_only_who_sees_everything_reads_what_has_no_rows_of_a_principal(
    sandbox: Sandbox, principal: Principal
) -> None:
    assert list(relations_of(principal, None)) == ["focus", "focus_split", "usage"]
    for name in sorted(set(ALL) - {"focus", "focus_split", "usage"}):
        with pytest.raises(QueryRefused, match="There is no relation"):
            sandbox.run(f"SELECT * FROM {name}", principal)


def test_a_relation_of_the_statement_hides_none_of_the_store(sandbox: Sandbox) -> None:
    ads = Principal(name="ann", allow={"team": ("ads",)})
    sql = "WITH owners AS (SELECT x_Team FROM focus) SELECT DISTINCT x_Team FROM owners"
    assert sandbox.run(sql, ads).rows == (("ads",),)
    with pytest.raises(QueryRefused, match="There is no relation"):
        sandbox.run("WITH owners AS (SELECT * FROM owners) SELECT * FROM owners", ads)
