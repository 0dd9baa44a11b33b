"""Usage that an AWS savings plan covers, netted against the rows that take its price off again."""

from __future__ import annotations

from typing import Final

import duckdb

from finops_assistant.store.settings import Settings
from finops_assistant.store.sources.aws_cur import AWS_CUR

# Covered usage carries its on-demand price, and the negations of other rows take it off again. They
# are matched on what both name: account, service, meter and hour (or day).
_KEY: Final = """BillingAccountId, BillingPeriodStart, BillingCurrency, SubAccountId, ServiceName,
    SkuMeter, ChargePeriodStart"""
_NEGATION: Final = "ChargeCategory = 'Adjustment'"


def net_savings_plans(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Bring usage that a savings plan covers to a BilledCost of 0, as FOCUS has it.

    Where covered usage and its negations are both there, the usage gets 0 and the first negation
    what is left of their sum (in AWS's files a rounding of some 1e-10), whichever files they came
    in. Where one of the two is missing, the rows stay as the bill shows them. So no sum of
    BilledCost over an account and an hour ever changes. What the bill shows stays known
    (ContractedCost of the usage, ``x_NegatedCost`` of the negation): it is done again after any
    other load.
    """
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE netted AS
        WITH line AS (
            SELECT {_KEY}, rowid AS id, BilledCost, {_NEGATION} AS negation,
                CASE
                    WHEN {_NEGATION} THEN CAST(round_even(
                        CAST(SkuPriceDetails ->> 'x_NegatedCost' AS DECIMAL(38, 24)), 12
                    ) AS DECIMAL(38, 12))
                    ELSE ContractedCost
                END AS shown
            FROM charges
            WHERE x_Source = '{AWS_CUR.name}' AND PricingCategory = 'Committed' AND (
                {_NEGATION}
                OR CommitmentDiscountCategory = 'Spend' AND CommitmentDiscountStatus = 'Used'
            )
        ), target AS (
            SELECT id, BilledCost, CASE
                WHEN bool_and(negation) OVER hour OR NOT bool_or(negation) OVER hour THEN shown
                WHEN id = min(id) FILTER (WHERE negation) OVER hour THEN sum(shown) OVER hour
                ELSE 0
            END AS net
            FROM line WINDOW hour AS (PARTITION BY {_KEY})
        )
        SELECT id, net FROM target WHERE net <> BilledCost
        """  # noqa: S608 - names of our own
    )
    connection.execute(
        "UPDATE charges SET BilledCost = netted.net FROM netted WHERE charges.rowid = netted.id"
    )
    connection.execute("DROP TABLE netted")
