"""The whole folder, in the order a company would gather it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from finops_assistant.store.sample import Progress
from finops_assistant.store.sample.bills import PARTS, write_bills
from finops_assistant.store.sample.business import write_business
from finops_assistant.store.sample.company import Company
from finops_assistant.store.sample.gateway import write_gateway
from finops_assistant.store.sample.kubernetes import write_kubernetes
from finops_assistant.store.sample.ledger import build
from finops_assistant.store.sample.telemetry import write_resource_metrics, write_training_runs
from finops_assistant.store.sample.traces import write_langfuse, write_otel, write_plain
from finops_assistant.store.sample.truth import write_truth
from finops_assistant.store.sample.vendor_usage import write_vendor_usage


def write_all(folder: Path, company: Company, progress: Progress) -> None:
    """Write every file of the company into ``folder``, reporting (what, done, total)."""
    done, total = 0, len(PARTS) + 6

    def step(what: str) -> None:
        nonlocal done
        done += 1
        progress(what, done, total)

    for name in ("bills", "usage", "telemetry", "business"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    ledger = build(company)
    step("the company's ledger")
    write_bills(folder, ledger, step)
    write_vendor_usage(folder, ledger.workloads)
    write_gateway(folder, company, ledger.workloads)
    write_langfuse(folder, company, ledger.workloads)
    write_otel(folder, company, ledger.workloads)
    write_plain(folder, company, ledger.workloads)
    step("model usage")
    write_resource_metrics(folder, company)
    write_training_runs(folder, company)
    write_kubernetes(folder, company, ledger)
    step("telemetry")
    write_business(folder, company, ledger)
    step("business files")
    settings = files("finops_assistant.store.sample").joinpath("finops.toml")
    (folder / "finops.toml").write_text(settings.read_text(encoding="utf-8"), encoding="utf-8")
    write_truth(folder, company, ledger)
    step("truth.json")
