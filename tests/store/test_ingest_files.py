"""What a file may look like, and what is said about those that cannot be loaded."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_assistant.store.errors import LoadError, StoreMissing, UsageError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.load_report import NothingLoaded
from finops_assistant.store.settings import Home

Bill = Callable[..., Path]
Ask = Callable[..., list[tuple[Any, ...]]]


def only(report: Any) -> Any:
    assert len(report.files) == 1
    return report.files[0]


def refusal(home: Home, *paths: Path | str) -> str:
    """The sentence of a load in which nothing could be used; the store must stay as it was."""
    with pytest.raises(NothingLoaded) as caught:
        ingest(home, list(paths))
    assert not home.pointer.exists()
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_official_sample_is_loaded_to_the_last_decimal(
    home: Home, realdata: Path, ask: Ask
) -> None:
    path = realdata / "focus" / "focus_1.0_sample_official.csv"
    file = only(ingest(home, [path]))
    assert (file.status, file.rows, file.loaded, file.quarantined) == ("loaded", 1000, 1000, 0)
    assert ask("SELECT sum(BilledCost), count(*) FROM focus") == [
        (Decimal("20.520226728990"), 1000)
    ]
    by_provider = "SELECT ServiceProviderName, count(*) FROM focus GROUP BY 1 ORDER BY 1"
    assert ask(by_provider) == [("AWS", 942), ("Microsoft", 51), ("Oracle", 7)]
    again = ingest(home, [path])
    assert only(again).status == "unchanged"
    assert only(again).duplicate
    assert not again.changed


def test_older_versions_are_levelled_up(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", [{"ProviderName": "Microsoft Azure", "PublisherName": "Acme"}])])
    assert ask("SELECT ServiceProviderName, x_PublisherName, HostProviderName FROM focus") == [
        ("Microsoft", "Acme", None)
    ]
    assert ask("SELECT x_CostBasis, x_Source FROM focus") == [("billed", "focus")]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Amazon Web Services", "AWS"),
        ("Microsoft", "Microsoft"),
        ("GCP", "Google Cloud"),
        ("Google", "Google Cloud"),
        ("OpenAI", "OpenAI"),
        ("Acme Hosting", "Acme Hosting"),
    ],
)
def test_providers_get_the_names_people_use(
    home: Home, bill: Bill, ask: Ask, written: str, said: str
) -> None:
    ingest(home, [bill("a.csv", [{"ProviderName": written}])])
    assert ask("SELECT ServiceProviderName FROM focus") == [(said,)]


def test_a_provider_beyond_the_sampled_rows_is_renamed_too(
    home: Home, bill: Bill, ask: Ask
) -> None:
    rows: list[dict[str, str]] = [{}] * 6000
    rows += [{"ProviderName": "gcp", "Tags": '{"Squad-Name": "x", "TEAM": "late"}'}]
    ingest(home, [bill("a.csv", rows)])
    query = "SELECT ServiceProviderName, x_Team, count(*) FROM focus GROUP BY ALL ORDER BY 1"
    assert ask(query) == [("AWS", None, 6000), ("Google Cloud", "late", 1)]


def test_null_text_and_empty_cells_are_null(home: Home, bill: Bill, ask: Ask) -> None:
    ingest(home, [bill("a.csv", [{"ResourceId": "NULL"}, {"ResourceId": ""}])])
    assert ask("SELECT count(*), count(ResourceId), count(AvailabilityZone) FROM focus") == [
        (2, 0, 0)
    ]


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("2024-09-01 05:00:00", "2024-09-01 05:00:00"),
        ("2024-09-01T05:00:00Z", "2024-09-01 05:00:00"),
        ("2024-09-01T05:00:00.000Z", "2024-09-01 05:00:00"),
        ("2024-09-01T05:00:00+02:00", "2024-09-01 03:00:00"),
        ("2024-09-01 05:00:00-0500", "2024-09-01 10:00:00"),
        ("2024-09-01", "2024-09-01 00:00:00"),
    ],
)
def test_times_are_utc(
    home: Home, bill: Bill, ask: Ask, written: str, utc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    ingest(home, [bill("a.csv", [{"ChargePeriodStart": written}])])
    assert ask("SELECT ChargePeriodStart::VARCHAR FROM focus") == [(utc,)]


def test_zip_gzip_bom_and_other_delimiters(home: Home, bill: Bill, ask: Ask) -> None:
    plain = bill("one.csv", [{"BilledCost": "1"}])
    packed = plain.with_name("two.csv.gz")
    packed.write_bytes(gzip.compress(bill("2.csv", [{"BilledCost": "2"}]).read_bytes()))
    marked = plain.with_name("three.csv")
    marked.write_bytes(b"\xef\xbb\xbf" + bill("3.csv", [{"BilledCost": "4"}]).read_bytes())
    semicolons = bill("four.csv", [{"BilledCost": "8"}], delimiter=";", lineterminator="\n")
    archive = plain.with_name("five.zip")
    with zipfile.ZipFile(archive, "w") as pack:
        pack.write(bill("5a.csv", [{"BilledCost": "16"}]), "folder/a.csv")
        pack.write(bill("5b.csv", [{"BilledCost": "32"}]), "../../b.csv")
        pack.writestr("readme.txt", "not a bill")
    report = ingest(home, [plain, packed, marked, semicolons, archive])
    assert [f.status for f in report.files] == ["loaded"] * 6 + ["skipped"]
    assert ask("SELECT sum(BilledCost) FROM focus") == [(63,)]
    assert not (home.path / "unpacked").exists()


def test_a_folder_with_its_sub_folders_is_one_delivery(
    home: Home, bill: Bill, ask: Ask, tmp_path: Path
) -> None:
    bill("in/a.csv", [{"BilledCost": "1"}])
    bill("in/deeper/b.csv", [{"BilledCost": "2"}])
    bill("in/.hidden/c.csv", [{"BilledCost": "4"}])
    (tmp_path / "in" / "notes.txt").write_text("hello")
    report = ingest(home, [tmp_path / "in"])
    assert [(Path(f.path).name, f.status) for f in report.files] == [
        ("a.csv", "loaded"),
        ("b.csv", "loaded"),
        ("notes.txt", "skipped"),
    ]
    assert ask("SELECT sum(BilledCost), count(DISTINCT _file_id) FROM charges") == [(3, 2)]
    assert ask("SELECT DISTINCT delivery FROM files") == [(1,)]


def test_a_pattern_is_one_delivery(home: Home, bill: Bill, tmp_path: Path) -> None:
    bill("a.csv", [{"BilledCost": "1"}])
    bill("b.csv", [{"BilledCost": "2"}])
    assert ingest(home, [tmp_path / "*.csv"]).loaded == 2


def test_a_bad_file_is_refused_alone(home: Home, bill: Bill, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    report = ingest(home, [bill("a.csv", [{}]), broken, tmp_path / "missing.csv"])
    said = {Path(f.path).name: (f.status, f.message) for f in report.files}
    assert said["a.csv"][0] == "loaded"
    assert said["broken.parquet"] == (
        "refused",
        f"{broken} is a damaged Parquet file. Fetch it again.",
    )
    assert said["missing.csv"][0] == "refused"


def test_a_missing_file(home: Home, tmp_path: Path) -> None:
    assert "There is no file" in refusal(home, tmp_path / "missing.csv")


def test_folders_with_nothing_usable(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no files" in refusal(home, tmp_path / "empty")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "readme.md").write_text("# hello")
    (tmp_path / "other" / "picture.png").write_bytes(b"\x89PNG\0\0")
    assert "readme.md" in refusal(home, tmp_path / "other")


def test_a_truncated_gzip(home: Home, bill: Bill, tmp_path: Path) -> None:
    whole = gzip.compress(
        bill("a.csv", [{"ResourceId": f"i-{n}"} for n in range(20_000)]).read_bytes()
    )
    for share in (0.001, 0.5, 0.99):
        path = tmp_path / "cut.csv.gz"
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "ends too early" in refusal(home, path)


def test_a_table_that_is_no_bill(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,age\nAda,36\n")
    assert "is not a bill" in refusal(home, path)
    path.write_text("")
    assert "is empty" in refusal(home, path)
    path.write_bytes("name,age\n".encode("utf-16"))
    assert "UTF-16" in refusal(home, path)


@pytest.mark.parametrize("column", ["BilledCost", "EffectiveCost", "BillingCurrency", "ListCost"])
def test_a_missing_mandatory_column_is_named(home: Home, bill: Bill, column: str) -> None:
    said = refusal(home, bill("a.csv", [{}], leave_out=[column]))
    assert f"lacks the mandatory column {column}." in said


def test_the_provider_column_may_have_either_name(home: Home, bill: Bill, ask: Ask) -> None:
    path = bill(
        "a.csv",
        [{"ServiceProviderName": "Google"}],
        leave_out=["ProviderName", "PublisherName"],
        header=["ServiceProviderName"],
    )
    ingest(home, [path])
    assert ask("SELECT ServiceProviderName FROM focus") == [("Google Cloud",)]


def test_a_header_without_rows(home: Home, bill: Bill) -> None:
    assert "holds no rows" in refusal(home, bill("a.csv", []))


def test_unknown_columns_are_named(home: Home, bill: Bill, ask: Ask) -> None:
    path = bill("a.csv", [{"Mood": "good"}], header=["Mood", "x_Colour"])
    assert "Mood, x_Colour" in only(ingest(home, [path])).message
    assert ask("SELECT extra_columns FROM files") == [(["Mood", "x_Colour"],)]


def test_wrong_arguments_are_usage_errors(home: Home, bill: Bill) -> None:
    with pytest.raises(UsageError, match="focus"):
        ingest(home, [bill("a.csv", [{}])], source="focsu")
    with pytest.raises(UsageError, match="max-bad"):
        ingest(home, [bill("a.csv", [{}])], max_bad=5)
    with pytest.raises(LoadError, match="No files"):
        ingest(home, [])
    assert not home.pointer.exists()


def test_progress_is_told(home: Home, bill: Bill) -> None:
    told: list[tuple[str, int, int]] = []
    paths = [bill("a.csv", [{}]), bill("b.csv", [{}, {}])]
    ingest(home, paths, progress=lambda *args: told.append(args))
    assert ("loading a.csv", 0, 2) in told
    assert ("loading b.csv", 1, 2) in told


def parquet(path: Path, **columns: str) -> Path:
    """A Parquet bill of one row; ``columns`` are SQL expressions."""
    defaults = {
        "BilledCost": "1.5::DOUBLE",
        "BillingAccountId": "'p'",
        "BillingCurrency": "'USD'",
        "BillingPeriodEnd": "TIMESTAMP '2024-10-01'",
        "BillingPeriodStart": "TIMESTAMP '2024-09-01'",
        "ChargeCategory": "'Usage'",
        "ChargePeriodEnd": "TIMESTAMP '2024-09-02'",
        "ChargePeriodStart": "TIMESTAMP '2024-09-01'",
        "ContractedCost": "1.5::DOUBLE",
        "EffectiveCost": "1.5::DOUBLE",
        "InvoiceIssuerName": "'AWS'",
        "ListCost": "1.5::DOUBLE",
        "ServiceCategory": "'Compute'",
        "ServiceName": "'Amazon EC2'",
        "ServiceProviderName": "'AWS'",
    }
    select = ", ".join(f"{sql} AS {name}" for name, sql in (defaults | columns).items())
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        connection.execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize(
    ("sql", "stored"),
    [
        ("0.1::DOUBLE + 0.2::DOUBLE", "0.300000000000"),
        ("123456.78::DOUBLE", "123456.780000000000"),
        ("4e-7::DOUBLE", "0.000000400000"),
        ("123456.123456789012::DECIMAL(18,12)", "123456.123456789012"),
        ("1.25::DECIMAL(38,18)", "1.250000000000"),
        ("'7.125'", "7.125000000000"),
        ("3::BIGINT", "3.000000000000"),
        ("1234567.5::DOUBLE", "1234567.500000000000"),
    ],
)
def test_amounts_in_parquet_whatever_their_type(
    home: Home, ask: Ask, tmp_path: Path, sql: str, stored: str
) -> None:
    ingest(home, [parquet(tmp_path / "a.parquet", BilledCost=sql)])
    assert ask("SELECT BilledCost FROM focus") == [(Decimal(stored),)]


@pytest.mark.parametrize(
    "sql",
    [
        "TIMESTAMPTZ '2024-09-01 05:00:00+00'",
        "'2024-09-01T07:00:00+02:00'",
        "TIMESTAMP_NS '2024-09-01 05:00:00'",
        "TIMESTAMP_MS '2024-09-01 05:00:00'",
    ],
)
def test_times_in_parquet_whatever_their_type(
    home: Home, ask: Ask, tmp_path: Path, sql: str
) -> None:
    ingest(home, [parquet(tmp_path / "a.parquet", ChargePeriodStart=sql)])
    assert ask("SELECT ChargePeriodStart::VARCHAR FROM focus") == [("2024-09-01 05:00:00",)]


@pytest.mark.parametrize(
    "sql",
    [
        "MAP {'Team': 'search', 'cost-center': '42'}",
        "{'Team': 'search', 'cost-center': '42'}",
        "[{'key': 'Team', 'value': 'search'}, {'key': 'cost-center', 'value': '42'}]",
        """'[{"key": "Team", "value": "search"}, {"key": "cost-center", "value": "42"}]'""",
        """'{"Team": "search", "cost-center": "42"}'""",
        """'"Team": "search", "cost-center": "42"'""",
        """' {"Team": "search", "cost-center": "42"}'::JSON""",
    ],
)
def test_tags_in_every_shape(home: Home, ask: Ask, tmp_path: Path, sql: str) -> None:
    ingest(home, [parquet(tmp_path / "a.parquet", Tags=sql)])
    assert ask("SELECT x_Team, x_CostCentre, Tags->>'Team' FROM focus") == [
        ("search", "42", "search")
    ]


def test_model_details_come_from_sku_price_details(home: Home, ask: Ask, tmp_path: Path) -> None:
    details = {
        "ModelDeveloper": "Anthropic",
        "ModelFamily": "Claude",
        "ModelId": "us.anthropic.claude-opus-4-6-20260101-v1:0",
        "TokenDirection": "Input",
        "TokenCacheAction": "Read",
    }
    sql = "MAP {" + ", ".join(f"'{k}': '{v}'" for k, v in details.items()) + "}"
    ingest(home, [parquet(tmp_path / "a.parquet", SkuPriceDetails=sql)])
    assert ask(
        "SELECT x_ModelDeveloper, x_ModelFamily, x_ModelId, x_ModelIdBilled, x_TokenDirection, "
        "x_TokenCacheAction FROM focus"
    ) == [("Anthropic", "Claude", "claude-opus-4-6", details["ModelId"], "Input", "Read")]


def test_columns_of_ours_are_taken_where_a_file_has_them(
    home: Home, ask: Ask, tmp_path: Path
) -> None:
    path = parquet(
        tmp_path / "a.parquet", x_ModelId="'gpt-4o-mini'", x_GpuHours="8.5", x_Team="'research'",
        x_CostBasis="'priced'", SkuPriceDetails="""'{"ModelId": "other"}'""",
    )  # fmt: skip
    ingest(home, [path])
    assert ask("SELECT x_ModelId, x_GpuHours, x_Team, x_CostBasis FROM focus") == [
        ("gpt-4o-mini", Decimal("8.5"), "research", "priced")
    ]


def test_an_empty_home_stays_empty_after_a_refusal(home: Home, tmp_path: Path, ask: Ask) -> None:
    refusal(home, tmp_path / "missing.csv")
    with pytest.raises(StoreMissing):
        ask("SELECT 1")
