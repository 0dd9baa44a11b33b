"""Mapping files: sums of a CSV that a few lines describe, and one sentence for each mistake."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from finops_assistant.store.errors import UsageError
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.sources import SOURCES
from finops_assistant.store.sources.focus import FOCUS
from finops_assistant.store.sources.mapping import KEYS, load_mapping
from finops_assistant.store.sources.mapping_expression import FUNCTIONS
from finops_assistant.store.sources.mapping_folder import is_mapping, mapped, mappings_in
from tests.store.sources.conftest import Load, Loaded

SMALL = """
provider: Acme Search
currency: USD
period: day
columns:
  BilledCost: Amount
  ChargePeriodStart: Date
"""
Map = Callable[..., Loaded]


def mapping(folder: Path, text: str, name: str = "acme.mapping.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture
def map_csv(load: Load, tmp_path: Path) -> Map:
    """Loads a CSV given as text through a mapping given as text."""

    def loaded(text: str, table: str, max_bad: float = 0.05) -> Loaded:
        source = mapping(tmp_path, text)
        path = tmp_path / "invoice.csv"
        path.write_text(table)
        return load(path, source=str(source), max_bad=max_bad)

    return loaded


def euros(text: str) -> Decimal:
    return Decimal(text.replace("€", "").strip().replace(".", "").replace(",", "."))


def test_an_invoice_with_decimal_commas(load: Load, fixtures: Path) -> None:
    folder = fixtures / "mapping"
    store = load(folder)  # with the mapping beside the file
    with (folder / "zendesk-2026.csv").open(encoding="utf-8", newline="") as file:
        lines = [r for r in csv.DictReader(file, delimiter=";") if r["Product"] != "Summe"]
    assert store.one("SELECT sum(BilledCost) FROM focus") == sum(euros(r["Netto"]) for r in lines)
    assert store.one("SELECT sum(ListCost) FROM focus") == sum(
        euros(r["Seats"]) * euros(r["Listenpreis"]) for r in lines
    )
    assert store.sql(
        "SELECT CAST(ChargePeriodStart AS DATE)::VARCHAR, CAST(ChargePeriodEnd AS DATE)::VARCHAR, "
        "ChargeDescription, ChargeCategory, x_Team, BillingCurrency, ServiceName, ServiceCategory, "
        "InvoiceId, x_Source FROM focus WHERE BilledCost < 0"
    ) == [
        (
            *("2026-10-01", "2026-11-01", "Gutschrift Okt", "Credit", "support", "EUR", "Zendesk"),
            *("Business Applications", "Z-1001", "zendesk"),
        )
    ]


def test_what_is_not_mapped_follows_from_what_is(map_csv: Map) -> None:
    store = map_csv(SMALL, "Date,Amount\n2026-10-05,12.5\n")
    assert store.sql(
        "SELECT BilledCost, EffectiveCost, ContractedCost, ListCost, BillingAccountId, "
        "InvoiceIssuerName, ServiceCategory, ChargeCategory, "
        "CAST(ChargePeriodEnd AS VARCHAR), CAST(BillingPeriodEnd AS VARCHAR) FROM focus"
    ) == [
        (
            *([Decimal("12.5")] * 4),
            *("Acme Search", "Acme Search", "Other", "Usage"),
            *("2026-10-06 00:00:00", "2026-11-01 00:00:00"),
        )
    ]


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        (
            "",
            {
                "-1234.50": "-1234.50",
                "1,234.50": "1234.50",
                "$12.30": "12.30",
                "12.30 USD": "12.30",
                "(3.20)": "-3.20",
                "7-": "-7",
                "1.5e3": "1500",
                "1,500": None,  # a thousand and a half, or one and a half?
                "12,5": None,
                "€5": None,  # another currency than the one declared
                "n/a": None,
                "0.1234567890123": None,
            },
        ),
        ("thousands: ','", {"1,500": "1500", "1,500.5": "1500.5", "1,50": None}),
        (
            "decimal: ','",
            {"1.234,50": "1234.50", "12,5": "12.5", "1 234,50": "1234.50", "1.234": None},
        ),
        ("decimal: ','\nthousands: '.'", {"1.234": "1234", "1.5": None}),
    ],
)
def test_numbers_are_read_as_declared_or_not_at_all(
    map_csv: Map, options: str, cells: dict[str, str | None]
) -> None:
    lines = "".join(f'2026-10-05,{number},"{cell}"\n' for number, cell in enumerate(cells))
    text = f"{options}\n{SMALL}  ChargeDescription: Number\n"
    store = map_csv(text, f"Date,Number,Amount\n{lines}", max_bad=1)
    read = {cell: Decimal(said) for cell, said in cells.items() if said is not None}
    found = dict(store.sql("SELECT ChargeDescription, BilledCost FROM focus"))
    assert {list(cells)[int(n)]: cost for n, cost in found.items()} == read
    unread = [number + 2 for number, cell in enumerate(cells.values()) if cell is None]
    aside = store.sql('SELECT line, "column" FROM quarantine ORDER BY line')
    assert aside == [(line, "Amount") for line in unread]


def test_a_date_that_could_be_two_is_not_read(map_csv: Map) -> None:
    table = "Date,Amount\n2026-10-05,1\n03/04/2026,2\n"
    assert map_csv(SMALL, table, max_bad=0.5).one("SELECT sum(BilledCost) FROM focus") == 1
    store = map_csv(f"dates: ['%Y-%m-%d', '%d/%m/%Y']{SMALL}", table + "\n")
    assert store.sql(
        "SELECT CAST(CAST(ChargePeriodStart AS DATE) AS VARCHAR) FROM focus WHERE BilledCost = 2"
    ) == [("2026-04-03",)]


def test_expressions_constants_and_other_columns_as_tags(map_csv: Map) -> None:
    text = """
provider: Acme Search
columns:
  BilledCost: {sql: "CASE WHEN Type = 'Refund' THEN -number(Cents) ELSE number(Cents) END * 0.01"}
  BillingCurrency: Currency
  ChargePeriodStart: From
  ChargePeriodEnd: {sql: "moment(Until) + INTERVAL 1 DAY"}
  ChargeDescription: {sql: "concat_ws(' / ', Type, nullif(\\"Plan name\\", '-'))"}
  BillingAccountId: {value: 4711}
  ServiceCategory: {value: Databases}
tags: all
"""
    table = (
        "Type,Cents,Currency,From,Until,Plan name,Team,Region\n"
        "Charge,12345,usd,2026-10-01,2026-10-31,Pro,search,\n"
        "Refund,345,EUR,2026-10-01,2026-10-31,-,search,eu\n"
    )
    store = map_csv(text, table)
    assert store.sql(
        "SELECT BilledCost, BillingCurrency, ChargeDescription, BillingAccountId, Tags, x_Team, "
        "CAST(ChargePeriodEnd AS VARCHAR) FROM focus ORDER BY 1"
    ) == [
        (
            *(Decimal("-3.45"), "EUR", "Refund", "4711", '{"Team":"search","Region":"eu"}'),
            *("search", "2026-11-01 00:00:00"),
        ),
        (
            *(Decimal("123.45"), "USD", "Charge / Pro", "4711", '{"Team":"search"}'),
            *("search", "2026-11-01 00:00:00"),
        ),
    ]


def test_a_table_beside_the_charges(map_csv: Map) -> None:
    text = """
table: business_metrics
decimal: ","
columns:
  date: Tag
  metric: {value: active_customers}
  value: Kunden
  product: Produkt
"""
    store = map_csv(text, "Tag;Kunden;Produkt\n2026-10-05;1 200,5;search\n")
    assert store.sql(
        "SELECT CAST(date AS VARCHAR), metric, value, product FROM business_metrics"
    ) == [("2026-10-05", "active_customers", Decimal("1200.5"), "search")]


def test_a_missing_column_refuses_the_file(map_csv: Map) -> None:
    with pytest.raises(NothingLoaded, match="Amount"):
        map_csv(SMALL, "Date,Total\n2026-10-05,1\n")


@pytest.mark.parametrize(
    ("change", "by", "sentence"),
    [
        ("BilledCost:", "BiledCost:", "no column 'BiledCost'. Did you mean BilledCost?"),
        ("provider:", "provder:", "'provder' is not a key of a mapping. Did you mean 'provider'?"),
        ("  BilledCost: Amount\n", "", "BilledCost is missing"),
        ("  ChargePeriodStart: Date\n", "", "ChargePeriodStart is missing"),
        ("provider: Acme Search\n", "", "provider is missing"),
        ("currency: USD\n", "", "currency is missing"),
        ("currency: USD", "currency: dollars", "'dollars' is none of ISO 4217"),
        ("period: day\n", "", "say how long a charge lasts"),
        ("period: day", "period: week", "'day' or 'month'"),
        ("period: day", "decimal: ','\nthousands: ','", "the same mark"),
        ("Amount", "{sql: number(Amount) / 100}", "a division is not exact"),
        ("Amount", "{sql: Amount}", "BilledCost must be an exact number"),
        ("Amount", "{sql: number(Amount) * 1e-2}", "BilledCost must be an exact number"),
        ("Amount", "{sql: (SELECT 1)}", "may not be used"),
        ("Amount", "{sql: \"getenv('HOME')\"}", "getenv() may not be used"),
        ("Amount", "{sql: sum(Amount)}", "sum() may not be used"),
        ("Amount", '{sql: "1; DROP TABLE charges"}', "it is not SQL"),
        ("Amount", '{sql: "1; SELECT 2"}', "one value made of columns"),
        ("Amount", "{sql: Amount FROM focus}", "one value made of columns"),
        ("Amount", "{sql: current_user}", "no column"),
        ("Amount", "{sql: '1 +'}", "it is not SQL"),
        ("Amount", "{sql: number(Amount) + upper(Amount)}", "do not fit together"),
        ("Amount", "{value: much}", "must be a number"),
        ("Amount", "{value: 1, sql: 2}", "takes a column of your file"),
        ("Amount", "[a, b]", "takes a column of your file"),
        ("  BilledCost", "  ServiceCategory: {value: Database}\n  BilledCost", "'Databases'"),
        ("  BilledCost", "  x_Source: A\n  BilledCost", "no column 'x_Source'"),
        ("columns:", "columns: [", "this is not YAML at line"),
        ("currency: USD", "currency: USD\ncurrency: EUR", "'currency' is there twice"),
        ("currency: USD", "currency: USD\nname: focus", "belongs to a source of the program"),
        ("currency: USD", "currency: USD\nname: No Name", "small letters"),
        ("currency: USD", "currency: USD\ntable: chargs", "Did you mean charges?"),
        ("currency: USD", "currency: USD\nfile: ../*.csv", "without a '/'"),
        ("currency: USD", "currency: USD\ndates: European", "'%d.%m.%Y'"),
    ],
)
def test_one_sentence_for_each_mistake(tmp_path: Path, change: str, by: str, sentence: str) -> None:
    assert change in SMALL
    path = mapping(tmp_path, SMALL.replace(change, by, 1))
    with pytest.raises(UsageError) as error:
        load_mapping(path)
    said = str(error.value)
    assert said.startswith("acme.mapping.yaml: ")
    assert sentence in said
    assert "\n" not in said


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    for text in ("", "just words", "- a\n- b", "\x00", "a: &a [*a]"):
        with pytest.raises(UsageError):
            load_mapping(mapping(tmp_path, text))
    with pytest.raises(UsageError, match="cannot be opened"):
        load_mapping(tmp_path / "absent.yaml")


def test_mappings_beside_files(tmp_path: Path) -> None:
    mapping(tmp_path, SMALL)
    mapping(tmp_path, f'file: "zen-*.csv"{SMALL}', "zen.mapping.yaml")
    bad = mapping(tmp_path, "columns: 3", "bad.mapping.yaml")
    assert is_mapping("Acme.Mapping.YAML")
    assert not is_mapping("acme.yaml")
    found, wrong = mappings_in(tmp_path)
    assert [one.source.name for one in found] == ["acme", "zen"]
    assert list(wrong) == [bad]
    header = {"Date": "VARCHAR", "Amount": "VARCHAR"}
    focus = dict.fromkeys(("BilledCost", "EffectiveCost", "ChargePeriodStart"), "VARCHAR")

    def name_of(file: str, columns: dict[str, str]) -> str | None:
        known = next((s for s in SOURCES if s.recognises(columns)), None)
        source = mapped(found, file, columns, known)
        return source.name if source else None

    assert name_of("zen-1.csv", header) == "zen"
    assert name_of("zen-1.csv", focus) == "zen"  # its glob says so
    assert name_of("other.csv", header) == "acme"
    assert name_of("other.csv", focus) == FOCUS.name
    assert name_of("other.csv", {"Nothing": "VARCHAR"}) is None


def test_the_page_in_docs_has_every_key_and_function(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "sources" / "mapping.md").read_text()
    assert all(f"`{key}`" in page for key in KEYS)
    words = set(re.findall(r"\w+", page))
    hidden = {"to_days", "to_months", "to_weeks", "to_years", "trunc", "substr"}  # of INTERVAL
    assert {name for name in FUNCTIONS if name.isidentifier()} - hidden <= words
    example = page.split("```yaml\n")[1].split("```")[0]
    assert load_mapping(mapping(tmp_path, example)).name == "acme"


def test_two_mappings_of_one_name_stay_apart(load: Load, tmp_path: Path) -> None:
    """Neighbouring small files are read as one only where one mapping speaks for both."""
    for folder, column in (("a", "Net"), ("b", "Gross")):
        place = tmp_path / "bills" / folder
        place.mkdir(parents=True)
        (place / "x.mapping.yaml").write_text(
            "name: saas\nprovider: Zendesk\ncurrency: USD\nperiod: day\n"
            f"columns:\n  BilledCost: {column}\n  ChargePeriodStart: Day\n"
            f"  BillingAccountId: {{value: {folder}}}\n"
        )
        figures = f"{len(column)},{ord(folder)}"  # other bytes, or the second would be the first
        (place / "invoice.csv").write_text(f"Day,Net,Gross\n2026-10-01,{figures}\n")
    loaded = load(tmp_path / "bills")
    found = loaded.sql("SELECT BillingAccountId, BilledCost FROM focus ORDER BY 1")
    assert [(account, int(cost)) for account, cost in found] == [("a", 3), ("b", 98)]
