"""How tags look on each bill: the same facts under keys that never quite agree."""

from __future__ import annotations

from collections.abc import Mapping

from finops_assistant.store.sample.chance import digest

# dimension -> the key that the people filling in that bill use
STYLES: dict[str, dict[str, str]] = {
    "AWS": {"team": "team", "project": "project", "environment": "env",
            "cost_centre": "cost-center", "feature": "feature", "customer": "customer",
            "initiative": "initiative"},
    "AWS old": {"team": "Team", "project": "Project", "environment": "Environment",
                "cost_centre": "CostCentre", "feature": "Feature", "customer": "Customer",
                "initiative": "Initiative"},
    "Microsoft": {"team": "Team", "project": "Project", "environment": "Environment",
                  "cost_centre": "CostCentre", "feature": "Feature", "customer": "Customer",
                  "initiative": "Initiative"},
    "Google Cloud": {"team": "owner_team", "project": "project", "environment": "env",
                     "cost_centre": "cost_center", "feature": "feature", "customer": "customer",
                     "initiative": "initiative"},
    "Snowflake": {"team": "TEAM", "project": "PROJECT", "environment": "ENV",
                  "cost_centre": "COST_CENTER", "initiative": "INITIATIVE"},
    "AI": {"team": "team", "project": "project", "environment": "environment",
           "cost_centre": "cost-centre", "feature": "feature", "customer": "customer",
           "initiative": "initiative"},
}  # fmt: skip

_OLD_STYLE_PROJECTS = {"core-platform", "observability", "search-index"}


def style_of(vendor: str, project: str | None) -> dict[str, str]:
    """The tag keys in use on a vendor's bill for a project."""
    if vendor == "AWS" and project in _OLD_STYLE_PROJECTS:
        return STYLES["AWS old"]
    return STYLES.get(vendor, STYLES["AI"])


def tagged(
    vendor: str, dims: Mapping[str, str], *name: object, careless: bool = False
) -> tuple[dict[str, str], dict[str, str]]:
    """Tags as they appear on the bill, and the dimensions that survive in them.

    ``careless`` resources lose some: no cost centre outside production, a few have no tags at all.
    """
    kept = {key: value for key, value in dims.items() if value}
    if careless and kept.get("environment") not in ("prod", "production"):
        kept.pop("cost_centre", None)
        if digest("careless", *name) % 9 == 0:
            kept = {}
    keys = style_of(vendor, dims.get("project"))
    kept = {dimension: value for dimension, value in kept.items() if dimension in keys}
    return {keys[dimension]: value for dimension, value in kept.items()}, kept
