"""The business around the spend: metrics, initiatives, budgets, commitments, owners, events."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np

from finops_assistant.store.sample.chance import DAYS, day_of, rhythm
from finops_assistant.store.sample.commitments import all_commitments
from finops_assistant.store.sample.company import (
    ACCOUNT_OWNERS,
    CLOUD_ACCOUNTS,
    Company,
    Initiative,
    initiatives,
    project,
)
from finops_assistant.store.sample.gateway import gateway_team
from finops_assistant.store.sample.ledger import Ledger
from finops_assistant.store.sample.planted import spike_bounds
from finops_assistant.store.sample.workloads import Workload

Row = Iterable[object]

# metric -> units a day over the two initiatives that share a service
SHARED_DENOMINATORS = {
    "vector_queries": 900_000,
    "pipeline_rows": 40_000,
}


def daily_value(initiative: Initiative, day: date) -> int:
    """USD of value that an initiative generated on a day: a twelfth of its run rate and growing."""
    if initiative.production is None or day < initiative.production or not initiative.monthly_value:
        return 0
    months = (day - initiative.production).days // 30
    return initiative.monthly_value * (100 + 2 * months) // 100 // 30


def gateway_calls(works: Iterable[Workload], day: int) -> dict[tuple[str, str], int]:
    """Calls through the gateway on a day, by project and initiative ('' for work without one)."""
    found: dict[tuple[str, str], int] = {}
    for work in works:
        if work.via == "litellm" and work.requests[day]:
            name = work.dims["project"], work.dims["initiative"]
            found[name] = found.get(name, 0) + int(work.requests[day])
    return found


def business_metrics(company: Company, works: tuple[Workload, ...]) -> Iterator[Row]:
    """Rows of ``business_metrics.csv``."""
    visits = rhythm("consumer", 1.6 + company.growth, 0.03, company.seed, "orders")
    orders = np.rint(21_000 * visits).astype(int).tolist()
    customers = np.rint(310_000 * rhythm("steady", 1.2, 0.01, company.seed, "customers")).tolist()
    resolved = rhythm("consumer", 2.4 + company.growth, 0.04, company.seed, "resolved")
    sharing = [entry for entry in initiatives(company) if entry.share]
    clients = {"Northgate Living": 3100, "Müller & Söhne": 2250, "Casa Verde": 1400}
    for number in range(DAYS):
        day = day_of(number)
        yield day, "transactions", orders[number], "marketplace", "", "", "", "", ""
        yield day, "revenue", orders[number] * 64, "marketplace", "", "", "", "", ""
        yield day, "active_customers", int(customers[number]), "marketplace", "", "", "", "", ""
        for client, count in clients.items():
            solved = round(count * resolved[number])
            yield (day, "conversations_resolved", solved, "", "chat-answers", client,
                   "support-ai", "help-assistant", "")  # fmt: skip
        for metric, total in SHARED_DENOMINATORS.items():
            for entry in sharing:
                yield (day, metric, int(total * entry.share), "", "", "", entry.team,
                       entry.project, entry.name)  # fmt: skip
        for (name, initiative), count in gateway_calls(works, number).items():
            yield (day, "gateway_calls", count, "", "", "", project(name).team, name,
                   initiative)  # fmt: skip
        for entry in initiatives(company):
            value = daily_value(entry, day)
            if value:
                yield (day, "value_generated", value, "", "", "", entry.team, entry.project,
                       entry.name)  # fmt: skip


def _initiatives(company: Company) -> Iterator[Row]:
    for entry in initiatives(company):
        yield (entry.name, entry.owner, entry.team, entry.project, entry.stage, entry.proposed,
               entry.approved, max(entry.approved, date(2025, 9, 1)), entry.production or "",
               entry.monthly_value, entry.monthly_cost, entry.kpi)  # fmt: skip


def budget_amounts(company: Company, ledger: Ledger) -> dict[str, tuple[str, int]]:
    """Monthly budgets by name: scope and USD. One team's is set 15 percent under its October."""
    teams = ledger.by("effective", lambda line: line.dims.get("team"))
    factor = {company.situation.breach_team: Decimal("0.85"), "search": Decimal("1.04")}
    return {
        f"{team} monthly": (
            f"team={team}",
            int(Decimal(months[-1]).scaleb(-12) * factor.get(team, Decimal("1.25")) // 500 * 500),
        )
        for team, months in teams.items()
    }


def _budgets(company: Company, ledger: Ledger) -> Iterator[Row]:
    for name, (scope, amount) in budget_amounts(company, ledger).items():
        yield name, scope, "month", amount, "USD", "50;80;100", "finance", "budget", ""
    yield ("model APIs 2026", "subcategory=Generative AI", "year", 900_000, "USD", "50;80;100",
           "finance", "budget", "")  # fmt: skip
    yield ("company quarter", "", "quarter", 750_000, "USD", "80;100", "finance", "budget", "")
    yield ("training GPU hours", "team=ml-research;workload_type=training", "month", 6_000, "",
           "80;100", "Ines Duarte", "quota", "gpu_hours")  # fmt: skip
    yield ("copy studio tokens", "project=copy-studio", "month", 3_000_000_000, "", "80;100",
           "Noor El-Amin", "quota", "tokens")  # fmt: skip


def _commitments(company: Company) -> Iterator[Row]:
    for plan in all_commitments(company):
        yield (plan.commitment_id, plan.provider, plan.kind, plan.scope, plan.unit, plan.capacity,
               plan.hourly_cost, 0, plan.start, plan.end, plan.payment_option)  # fmt: skip


def owners(works: Iterable[Workload]) -> Iterator[tuple[str, ...]]:
    """Rows of ``owners.csv``: model vendors' projects and keys, gateway teams, cloud accounts.

    The last three columns say what a key or workspace is for: feature, customer, initiative.
    """
    kinds = {"OpenAI": "openai_project", "Anthropic": "anthropic_workspace"}
    seen: set[tuple[str, str]] = set()
    for work in works:
        kind, team = kinds.get(work.channel), work.dims["team"]
        if not kind:
            continue
        where = (team, work.dims["project"], work.dims["environment"], work.dims["cost_centre"],
                 f"{team}@wrenfield.example" if team else "")  # fmt: skip
        purpose = (work.dims.get("feature", ""), work.dims.get("customer", ""),
                   work.dims.get("initiative", ""))  # fmt: skip
        if team and (kind, work.sub_account[0]) not in seen:
            seen.add((kind, work.sub_account[0]))
            own = purpose if kind == "anthropic_workspace" else ("", "", "")
            yield kind, work.sub_account[0], *where, *own
        if kind == "openai_project" and team:
            yield "openai_api_key", work.key, *where, *purpose
    for team in sorted({work.dims["team"] for work in works if work.via == "litellm"}):
        owner = f"{team}@wrenfield.example"
        yield "litellm_team", gateway_team(team), team, "", "", "", owner, "", "", ""
    kinds = {"AWS": "aws_account", "Google Cloud": "gcp_project"}
    for vendor, kind in kinds.items():
        for identity, name in CLOUD_ACCOUNTS[vendor].values():
            team = ACCOUNT_OWNERS.get(name, "")
            if team:
                owner = f"{team}@wrenfield.example"
                yield kind, identity, team, "", "", "", owner, "", "", ""


def _events(company: Company) -> Iterator[Row]:
    plan = company.situation
    start, stop = spike_bounds(company)
    stamp = "T09:00:00Z"
    yield ("2026-08-21T00:00:00Z", "price", "OpenAI lowers the price of gpt-5.6-sol",
           "provider=OpenAI;model=gpt-5.6-sol", "")  # fmt: skip
    yield (f"{plan.gpu_rate_cut_on}{stamp}", "price", "New contract rate for AWS GPU serving",
           "provider=AWS;service=Amazon SageMaker", "")  # fmt: skip
    for second, words in ((start, "Bulk translation loop starts"), (stop, "Runaway key revoked")):
        moment = np.datetime64(second, "s")
        yield f"{moment}Z", "incident", words, "project=copy-studio", ""
    yield (f"{plan.retired_on}{stamp}", "config", "voice-concierge retired",
           "initiative=voice-concierge", "")  # fmt: skip
    yield ("2025-10-20T08:00:00Z", "deploy", "Help assistant moves to claude-sonnet-4-5",
           "project=help-assistant", "")  # fmt: skip
    yield ("2026-03-01T08:00:00Z", "deploy", "Answer box moves from gpt-4o to gpt-5",
           "feature=answer-box", "")  # fmt: skip
    for entry in initiatives(company):
        if entry.production:
            yield (f"{entry.production}{stamp}", "launch", f"{entry.name} in production",
                   f"initiative={entry.name}", "")  # fmt: skip


def _rates() -> Iterator[Row]:
    """Month-start rates, made up for the sample."""
    for number in range(14):
        month = date(2025 + (8 + number) // 12, (8 + number) % 12 + 1, 1)
        yield month, "EUR", "USD", Decimal("1.08") + Decimal(number % 5) / 100
        yield month, "GBP", "USD", Decimal("1.26") + Decimal(number % 4) / 100


def _write(path: Path, header: str, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        out = csv.writer(handle, lineterminator="\n")
        out.writerow(header.split(","))
        out.writerows(rows)


def write_business(folder: Path, company: Company, ledger: Ledger) -> None:
    """Write every file of ``business/``, with the headers of the input contract."""
    target = folder / "business"
    _write(target / "business_metrics.csv",
           "date,metric,value,product,feature,customer,team,project,initiative",
           business_metrics(company, ledger.workloads))  # fmt: skip
    _write(target / "initiatives.csv",
           "initiative,owner,team,project,stage,proposed_at,approved_at,first_spend_at,"
           "production_at,expected_monthly_value,expected_monthly_cost,kpi",
           _initiatives(company))  # fmt: skip
    _write(target / "budgets.csv", "budget,scope,period,amount,currency,alert_at,owner,kind,unit",
           _budgets(company, ledger))  # fmt: skip
    _write(target / "commitments.csv",
           "commitment_id,provider,kind,scope,unit,quantity,hourly_cost,upfront_cost,start,end,"
           "payment_option", _commitments(company))  # fmt: skip
    _write(target / "owners.csv",
           "kind,id,team,project,environment,cost_centre,owner,feature,customer,initiative",
           owners(ledger.workloads))  # fmt: skip
    _write(target / "events.csv", "timestamp,kind,title,scope,link", _events(company))
    _write(target / "rates.csv", "date,from,to,rate", _rates())
