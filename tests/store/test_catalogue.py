"""Values and facts: kept up to date by loads, cut to what a principal may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from finops_assistant.store import catalogue
from finops_assistant.store.access import EVERYONE
from finops_assistant.store.store import Store

Row = dict[str, Any]
Make = Callable[..., Row]
StoreOf = Callable[..., Store]
Connect = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def ledger(charge: Make) -> list[Row]:
    return [
        charge("2026-01-05", "1", x_Team="search", SubAccountId="111", SubAccountName="Prod"),
        charge("2026-01-06", "1", x_Team="search", SubAccountId="111", SubAccountName="Prod"),
        charge("2026-01-07", "1", x_Team="Ads", SubAccountId="222", SubAccountName="Prod"),
        charge("2026-01-08", "1", BillingAccountName="Head Office"),
        charge("2026-01-04", "1", ServiceProviderName="Google Cloud", x_Team="ＳＲＥ"),  # noqa: RUF001
    ]


def tables(connection: duckdb.DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    return [
        connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()
        for name in ("catalogue", "provider_days")
    ]


def test_values_come_with_the_most_rows_first(store_of: StoreOf, ledger: list[Row]) -> None:
    seen = store_of(ledger).catalogue(EVERYONE)
    assert seen.values("team") == ("search", "Ads", "ＳＲＥ")  # noqa: RUF001
    assert seen.values("account") == ("111", "payer-1", "222") or seen.values("account") == (
        "111",
        "222",
        "payer-1",
    )
    assert seen.values("model") == ()
    assert seen.label("account", "111") == "Prod"
    assert seen.label("account", "payer-1") == "Head Office"
    assert seen.label("team", "search") is None
    assert seen.has("team", "Ads")
    assert not seen.has("team", "ads")


def test_names_are_found_folded_then_by_label_and_alias(
    store_of: StoreOf, ledger: list[Row]
) -> None:
    settings = {"team": {"values": {"advertising": "Ads", "gone": "no such team"}}}
    seen = store_of(ledger, tags=settings).catalogue(EVERYONE)
    assert seen.exact("ads") == (("team", "Ads"),)
    assert seen.exact("sre") == (("team", "ＳＲＥ"),)  # noqa: RUF001
    assert set(seen.exact("prod")) == {("account", "111"), ("account", "222")}
    assert seen.exact("gcp") == (("provider", "Google Cloud"),)
    assert seen.exact("amazon") == (("provider", "AWS"),)
    assert seen.exact("azure") == ()
    assert seen.exact("advertising") == (("team", "Ads"),)
    assert seen.exact("gone") == ()
    assert seen.near("team", "serch")[0] == "search"


def test_values_of_usage_alone_come_last_and_go_with_it(
    connect: Connect, charge: Make, used: Make, insert: Callable[..., None]
) -> None:
    billed = [charge("2026-01-05", "1", x_ModelId="gpt-4o", x_Team="search")]
    usage = [used("2026-01-05", 5, x_ModelId=name) for name in ("gpt-4o", "gpt-5", "gpt-5")]
    connection = connect(billed, usage)
    rows = "SELECT value, rows FROM catalogue WHERE dimension = 'model' ORDER BY rows DESC, value"
    assert connection.execute(rows).fetchall() == [("gpt-4o", 1), ("gpt-5", 0)]
    insert(connection, [charge("2026-02-05", "1", x_ModelId="gpt-4.1", _file_id=2)])
    connection.execute("UPDATE usage SET x_ModelId = 'gpt-6' WHERE x_ModelId = 'gpt-5'")
    catalogue.refresh(connection, full=False, file_ids=[2])
    added = tables(connection)
    assert connection.execute(rows).fetchall() == [("gpt-4.1", 1), ("gpt-4o", 1), ("gpt-6", 0)]
    catalogue.refresh(connection, full=True)
    assert tables(connection) == added


def test_a_value_goes_before_a_label(store_of: StoreOf, charge: Make) -> None:
    store = store_of(
        [charge("2026-01-05", "1", x_Team="prod", SubAccountId="1", SubAccountName="Prod")]
    )
    assert store.catalogue(EVERYONE).exact("prod") == (("team", "prod"),)


def test_adding_files_gives_what_reading_everything_gives(
    connect: Connect, insert: Callable[..., None], charge: Make, ledger: list[Row]
) -> None:
    connection = connect(ledger)
    for file_id in (2, 3):
        insert(
            connection,
            [
                charge(f"2026-02-0{file_id}", "1", x_Team="search", _file_id=file_id),
                charge(
                    "2025-12-01",
                    "1",
                    x_Team=f"new-{file_id}",
                    BillingCurrency="EUR",
                    _file_id=file_id,
                ),
            ],
        )
        catalogue.refresh(connection, full=False, file_ids=[file_id])
    added = tables(connection)
    catalogue.refresh(connection, full=False, file_ids=[])
    assert tables(connection) == added
    catalogue.refresh(connection, full=True)
    assert tables(connection) == added
    connection.execute("DELETE FROM charges WHERE _file_id = 2")
    catalogue.refresh(connection, full=True)
    left = connection.execute("SELECT value FROM catalogue WHERE dimension = 'team'").fetchall()
    assert ("new-2",) not in left
    assert ("new-3",) in left


def test_facts_say_how_far_the_data_reaches(store_of: StoreOf, ledger: list[Row]) -> None:
    facts = store_of(ledger).facts(EVERYONE)
    assert (facts.first_day, facts.last_day) == (date(2026, 1, 4), date(2026, 1, 8))
    assert facts.today == date(2026, 1, 9)
    assert facts.data_through == datetime(2026, 1, 9, tzinfo=UTC)
    assert facts.providers == {"AWS": date(2026, 1, 8), "Google Cloud": date(2026, 1, 4)}
    assert facts.currencies == ("USD",)
    assert facts.row_count == 5
    assert not facts.hourly


def test_a_monthly_bill_covers_its_month(store_of: StoreOf, charge: Make) -> None:
    month = {"ChargePeriodEnd": datetime(2026, 2, 1)}  # noqa: DTZ001
    year = {"ChargePeriodEnd": datetime(2027, 1, 1)}  # noqa: DTZ001
    store = store_of(
        [
            charge("2026-01-20", "1", ServiceProviderName="Daily"),
            charge("2026-01-01", "1", ServiceProviderName="Monthly", **month),
            charge("2026-01-01", "1", ServiceProviderName="Yearly", **year),
            charge("2026-01-05", "1", ServiceProviderName="Both"),
            charge("2026-01-01", "1", ServiceProviderName="Both", **month),
        ]
    )
    assert store.facts(EVERYONE).providers == {
        "Daily": date(2026, 1, 20),
        "Monthly": date(2026, 1, 20),
        "Yearly": date(2026, 1, 1),
        "Both": date(2026, 1, 5),
    }


def test_a_principal_sees_the_values_and_days_of_its_rows(
    store_of: StoreOf, ledger: list[Row]
) -> None:
    store = store_of(
        ledger,
        principals={
            "ads": {"allow": {"team": ["Ads"]}},
            "nameless": {"hide": ["SubAccountName", "team"]},
            "accountless": {"hide": ["SubAccountId"]},
        },
    )
    who = store.principal("ads")
    seen, facts = store.catalogue(who), store.facts(who)
    assert seen.values("team") == ("Ads",)
    assert seen.values("provider") == ("AWS",)
    assert seen.exact("gcp") == ()
    assert seen.exact("search") == ()
    assert seen.aliases.get("prod") == (("account", "222"),)
    assert (facts.first_day, facts.last_day, facts.row_count) == (
        date(2026, 1, 7),
        date(2026, 1, 7),
        1,
    )
    assert facts.today == date(2026, 1, 9)  # today is the store's
    assert facts.providers == {"AWS": date(2026, 1, 7)}
    nameless = store.catalogue(store.principal("nameless"))
    assert nameless.label("account", "111") is None
    assert nameless.exact("prod") == nameless.values("team") == ()
    assert store.catalogue(store.principal("accountless")).values("account") == ()
