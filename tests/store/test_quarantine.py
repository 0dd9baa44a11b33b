"""Rows that cannot be read are set aside with their line, column and raw text, and counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]
ASIDE = 'SELECT file, line, "column", reason FROM quarantine ORDER BY line'


def test_bad_dates_amounts_and_blanks_are_set_aside(home: Home, bill: Bill, ask: Ask) -> None:
    rows: list[dict[str, str]] = [{"ResourceId": f"i-{n}"} for n in range(100)]
    rows[3] |= {"ChargePeriodStart": "yesterday"}
    rows[10] |= {"BilledCost": "12,50 $"}
    rows[20] |= {"ListCost": "n/a", "ChargeDescription": "two\nlines"}
    rows[30] |= {"EffectiveCost": ""}
    rows[40] |= {"BillingCurrency": "NULL"}
    path = bill("bill.csv", rows)
    file = ingest(home, [path], max_bad=0.05).files[0]
    assert (file.rows, file.loaded, file.quarantined) == (100, 95, 5)
    assert "5 rows could not be read" in file.message
    assert ask(ASIDE) == [
        ("bill.csv", 5, "ChargePeriodStart", "cannot be read as a date and time"),
        ("bill.csv", 12, "BilledCost", "cannot be read as a number"),
        ("bill.csv", 22, "ListCost", "cannot be read as a number"),
        ("bill.csv", 32, "EffectiveCost", "is empty"),
        ("bill.csv", 42, "BillingCurrency", "is empty"),
    ]
    raw = ask("SELECT raw FROM quarantine WHERE line = 12")[0][0]
    assert raw in path.read_text()
    assert '"12,50 $"' in raw
    assert ask("SELECT count(*), sum(BilledCost) FROM focus") == [(95, 95)]


def test_a_row_with_too_many_or_too_few_cells_is_set_aside(
    home: Home, bill: Bill, ask: Ask
) -> None:
    path = bill("bill.csv", [{}] * 60)
    lines = path.read_text().splitlines()
    lines[10] += ",surplus"
    lines[20] = lines[20].rsplit(",", 3)[0]
    path.write_text("\n".join(lines) + "\n")
    assert ingest(home, [path]).files[0].quarantined == 2
    assert [(line, reason) for _, line, _, reason in ask(ASIDE)] == [
        (11, "too many columns"),
        (21, "missing columns"),
    ]


def test_too_many_bad_rows_refuse_the_file(home: Home, bill: Bill, ask: Ask) -> None:
    rows = [{"BilledCost": "bad"}] * 6 + [{}] * 94
    path = bill("bill.csv", rows)
    with pytest.raises(NothingLoaded) as caught:
        ingest(home, [path])
    said = str(caught.value)
    assert "6 of 100 rows (6.0%)" in said
    assert "line 2: BilledCost: cannot be read as a number" in said
    assert "--max-bad" in said
    assert not home.pointer.exists()
    assert ingest(home, [path], max_bad=0.06).files[0].loaded == 94


def test_a_quotation_mark_that_is_never_closed_loses_nothing_in_silence(
    home: Home, bill: Bill
) -> None:
    path = bill("bill.csv", [{"ResourceId": f"i-{n}"} for n in range(500)])
    text = path.read_text().replace("i-250", '"i-250')
    path.write_text(text)
    with pytest.raises(NothingLoaded, match=r"never closed|cannot be read"):
        ingest(home, [path])


def test_bytes_that_are_no_text_are_set_aside(home: Home, bill: Bill, ask: Ask) -> None:
    path = bill("bill.csv", [{"ResourceId": f"i-{n}"} for n in range(100)])
    path.write_bytes(path.read_bytes().replace(b"i-50,", b"i-\xff\xfe,"))
    assert ingest(home, [path]).files[0].quarantined == 1
    assert ask("SELECT line FROM quarantine") == [(52,)]


def test_bad_rows_in_parquet(home: Home, tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "bill.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY (SELECT CASE WHEN i = 7 THEN NULL WHEN i = 8 THEN 'nan'::DOUBLE
            ELSE 1.5 END::DOUBLE AS BilledCost, 'p' AS BillingAccountId,
            'USD' AS BillingCurrency, TIMESTAMP '2024-10-01' AS BillingPeriodEnd,
            TIMESTAMP '2024-09-01' AS BillingPeriodStart, 'Usage' AS ChargeCategory,
            TIMESTAMP '2024-09-02' AS ChargePeriodEnd,
            if(i = 20, 'soon', '2024-09-01T00:00:00Z') AS ChargePeriodStart,
            1.5 AS ContractedCost, 1.5 AS EffectiveCost, 'AWS' AS InvoiceIssuerName,
            1.5 AS ListCost, 'AWS' AS ProviderName, 'Compute' AS ServiceCategory,
            'Amazon EC2' AS ServiceName FROM range(100) AS n (i)) TO '{path}'"""
        )
    file = ingest(home, [path]).files[0]
    assert (file.loaded, file.quarantined) == (97, 3)
    assert ask(ASIDE) == [
        ("bill.parquet", 8, "BilledCost", "is empty"),
        ("bill.parquet", 9, "BilledCost", "cannot be read: nan"),
        ("bill.parquet", 21, "ChargePeriodStart", "cannot be read: soon"),
    ]
    assert ask("SELECT raw::JSON->>'ChargePeriodStart' FROM quarantine WHERE line = 21") == [
        ("soon",)
    ]


def test_malformed_tags_do_not_stop_a_bill(home: Home, bill: Bill, ask: Ask) -> None:
    rows = [{"Tags": '{"team": "search"}'}, {"Tags": '{"team": '}, {"Tags": "just text"}]
    assert ingest(home, [bill("a.csv", rows)]).files[0].loaded == 3
    assert ask("SELECT x_Team, json_type(Tags) FROM charges ORDER BY rowid") == [
        ("search", "OBJECT"),
        (None, "VARCHAR"),
        (None, "VARCHAR"),
    ]


def test_the_careful_reading_gives_the_same_rows(home: Home, bill: Bill, ask: Ask) -> None:
    rows = [
        {"Tags": '{"Team": "search"}', "ProviderName": "gcp", "BilledCost": "0.123456789012"},
        {"ChargePeriodStart": "2024-09-01T07:00:00+02:00", "ConsumedQuantity": "1e3"},
        {"ResourceId": "NULL", "ListCost": "", "ChargeDescription": 'a "quoted", thing'},
    ]
    everything = "SELECT * EXCLUDE (_file_id) FROM charges ORDER BY BilledCost, ResourceId"
    ingest(home, [bill("clean.csv", rows)])
    clean = ask(everything)
    file = ingest(home, [bill("bad.csv", [*rows, {"BilledCost": "x"}])], max_bad=0.5).files[0]
    assert (file.loaded, file.restated, file.quarantined) == (3, 3, 1)
    assert ask(everything) == clean
