"""What ``finops ingest`` says of many files."""

from __future__ import annotations

from decimal import Decimal

from finops_assistant.store.load_report import FileReport, Total
from finops_assistant.ui.ingest import outcomes


def _loaded(number: int) -> FileReport:
    total = Total("USD", Decimal(number), Decimal(1))
    return FileReport(f"pages/{number}.json", "loaded", "", "openai-costs", 2, 2, totals=(total,))


def test_files_that_fared_alike_share_a_line() -> None:
    files = [_loaded(number) for number in range(298)]
    files += [FileReport("pages/x.json", "refused", "pages/x.json is damaged.")]
    files += [
        FileReport(f"old/{n}.csv", "unchanged", f"old/{n}.csv is in the store already.", "focus")
        for n in range(30)
    ]
    loaded, refused, unchanged = outcomes(files)
    assert "298 files in pages (openai-costs): 596 of 596 rows, USD 44,253.00 billed" in loaded
    assert "pages/x.json" in refused
    assert "30 files in old (focus)" in unchanged
    assert "old/0.csv is in the store already." in unchanged


def test_a_few_files_are_named_one_by_one() -> None:
    assert len(outcomes([_loaded(number) for number in range(20)])) == 20
