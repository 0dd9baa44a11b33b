"""A small company to parse questions about: the real vocabulary, hand-written values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from finops_assistant.agent.plan import Plan
from finops_assistant.agent.planner.view import PlannerView
from finops_assistant.store.metrics import load_semantics
from finops_assistant.store.result import Result

VALUES: dict[str, tuple[str, ...]] = {
    "provider": ("AWS", "Microsoft", "Google Cloud", "Snowflake", "OpenAI", "Anthropic",
                 "Mistral AI", "Cohere"),
    "service": ("Amazon Elastic Compute Cloud", "Amazon Simple Storage Service", "AWS Lambda",
                "Amazon SageMaker", "Amazon Bedrock", "Amazon Relational Database Service",
                "Amazon Elastic Kubernetes Service", "Virtual Machines", "Azure OpenAI",
                "Azure Machine Learning", "Compute Engine", "BigQuery", "Networking",
                "Kubernetes Engine", "Vertex AI", "Snowflake", "OpenAI API", "Anthropic API",
                "AWS Data Transfer", "Amazon CloudWatch", "Cloud Storage"),
    "category": ("Compute", "Storage", "Databases", "Networking", "Analytics",
                 "AI and Machine Learning", "Management and Governance", "Integration"),
    "subcategory": ("Virtual Machines", "Object Storage", "Generative AI", "Machine Learning",
                    "Search", "Data Warehouses", "Serverless Compute", "Observability"),
    "technology": ("AI", "Other"),
    "account": ("111122223333", "444455556666", "sub-9f1"),
    "billing_account": ("999900001111",),
    "region": ("us-east-1", "eu-west-1", "westeurope", "europe-west1", "us-central1"),
    "resource_id": ("i-0a1b2c3d4e5f", "arn:aws:s3:::logs-bucket"),
    "sku": ("m7i.2xlarge", "p5.48xlarge"),
    "charge_category": ("Usage", "Purchase", "Tax", "Credit"),
    "commitment_id": ("sp-123",),
    "model": ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-5", "gpt-5-mini", "claude-sonnet-4-5",
              "claude-haiku-4-5", "claude-opus-4-6", "gemini-2.5-pro", "gemini-2.5-flash",
              "mistral-small", "text-embedding-3-small", "command-a"),
    "model_family": ("GPT-4o", "GPT-4.1", "GPT-5", "Claude Sonnet", "Claude Haiku", "Claude Opus",
                     "Gemini Pro", "Gemini Flash", "Mistral Small", "Embeddings", "Command"),
    "token_direction": ("Input", "Output"),
    "workload_type": ("training", "inference", "pipeline", "other"),
    "team": ("search", "search-infra", "recommendations", "checkout", "support-ai", "marketing",
             "data-platform", "ml-research", "fraud", "platform"),
    "project": ("product-search", "semantic-search", "checkout", "lakehouse", "help-assistant",
                "fraud-scoring", "vision-lab", "observability", "marketing", "copy-studio"),
    "environment": ("prod", "staging", "dev"),
    "feature": ("chat-answers", "answer-box", "code-helper", "search"),
    "customer": ("Northgate Living", "Müller & Söhne", "Casa Verde"),
    "cost_centre": ("CC-2100", "CC-6200"),
    "initiative": ("semantic-search", "help-assistant", "fraud-explain"),
}  # fmt: skip


@dataclass(frozen=True)
class FakeCatalogue:
    """Values in memory, with the catalogue's two methods."""

    held: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: VALUES)

    def values(self, dimension: str) -> tuple[str, ...]:
        return self.held.get(dimension, ())

    def exact(self, folded: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (d, v) for d, values in self.held.items() for v in values if v.casefold() == folded
        )


@dataclass(frozen=True)
class FakeFacts:
    """Data from 1 September 2025 to 31 October 2026; of model usage, the tokens that are billed."""

    first_day: date = date(2025, 9, 1)
    last_day: date = date(2026, 10, 31)
    currencies: tuple[str, ...] = ("USD",)
    measured: frozenset[str] = frozenset({"Tokens"})


CATALOGUE = FakeCatalogue()


def view(
    previous: Plan | None = None,
    results: tuple[Result, ...] = (),
    *,
    as_of: date = date(2026, 11, 1),
    facts: FakeFacts | None = None,
    catalogue: FakeCatalogue = CATALOGUE,
) -> PlannerView:
    """What the planner sees of the small company."""
    return PlannerView(load_semantics(), catalogue, facts or FakeFacts(), as_of, previous, results)
