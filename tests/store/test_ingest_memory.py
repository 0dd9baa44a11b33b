"""Files larger than what a load may hold in memory."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from finops_assistant.store.database import Database
from finops_assistant.store.errors import LoadError, UsageError
from finops_assistant.store.ingest import ingest
from finops_assistant.store.settings import Home

ROWS = 500_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FOCUS CSV of about 110 MB; every 1,000th row has no date."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    with closing(duckdb.connect()) as connection:
        connection.execute(
            f"""
            COPY (
                SELECT 1.25 AS BilledCost, 1.25 AS EffectiveCost, 1.25 AS ListCost,
                       1.25 AS ContractedCost, 'account-' || i % 7 AS BillingAccountId,
                       'Main' AS BillingAccountName, 'USD' AS BillingCurrency,
                       '2024-09-01T00:00:00Z' AS BillingPeriodStart,
                       '2024-10-01T00:00:00Z' AS BillingPeriodEnd, 'Usage' AS ChargeCategory,
                       NULL AS ChargeClass, 'charge number ' || i AS ChargeDescription,
                       CASE WHEN i % 1000 = 0 THEN 'soon' ELSE '2024-09-30T00:00:00Z' END
                           AS ChargePeriodStart,
                       '2024-10-01T00:00:00Z' AS ChargePeriodEnd, 'AWS' AS InvoiceIssuerName,
                       'AWS' AS ProviderName, 'AWS' AS PublisherName, 1 AS PricingQuantity,
                       'Hours' AS PricingUnit, 'Compute' AS ServiceCategory, 'EC2' AS ServiceName,
                       '{{"team": "t' || i % 50 || '", "id": "' || i || '"}}' AS Tags
                FROM range({ROWS}) t(i)
            ) TO '{path}' (HEADER)
            """
        )
    return path


def home_with(tmp_path: Path, memory: str) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "finops.toml").write_text(f'memory = "{memory}"\n')
    return Home(folder)


@pytest.mark.slow
def test_a_file_larger_than_the_memory_is_loaded_all_the_same(large: Path, tmp_path: Path) -> None:
    assert large.stat().st_size > 105_000_000
    home = home_with(tmp_path, "105MB")
    ingest(home, [large])
    with closing(Database.open(home).cursor()) as cursor:
        row = cursor.execute(
            "SELECT count(*), sum(BilledCost), (SELECT count(*) FROM quarantine) FROM focus"
        ).fetchone()
    assert row == (ROWS * 999 // 1000, ROWS * 999 // 1000 * 5 / 4, ROWS // 1000)


@pytest.mark.slow
def test_too_little_memory_is_said(large: Path, tmp_path: Path) -> None:
    home = home_with(tmp_path, "24MB")
    with pytest.raises(LoadError, match="needs more than the 24MB of memory that it may take"):
        ingest(home, [large])
    assert not home.pointer.exists()


@pytest.mark.parametrize("memory", ["lots", "3", "-1GB", "1e9"])
def test_an_amount_of_memory_that_makes_no_sense(tmp_path: Path, memory: str) -> None:
    with pytest.raises(UsageError, match="memory must be an amount"):
        home_with(tmp_path, memory).settings()
