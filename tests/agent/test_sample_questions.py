"""Freely phrased questions about the sample company, against SQL by hand over ``focus``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from finops_assistant.agent.answer import Answer
from finops_assistant.agent.assistant import Assistant
from finops_assistant.store.ingest import ingest
from finops_assistant.store.sample import generate
from finops_assistant.store.settings import Home
from tests.agent.grading import Graded, grade

Case = dict[str, Any]
HERE = Path(__file__).parent
# All written without a look at the planner, each after the one before had mended it.
SUITES = ("sample_questions", "holdout_questions", "blind_questions")

# Tokens and what they cost, by hand from the tables as loaded: bills count their own tokens, but
# Anthropic's counts none, and its usage report does.
TOKENS = """
CREATE TEMP VIEW token_rows AS
SELECT CAST(ChargePeriodStart AS DATE) AS day, x_ModelId AS model, x_Project AS project,
       x_TokenDirection AS direction, x_TokenCacheAction AS cache_action,
       ConsumedQuantity AS tokens
FROM focus WHERE ConsumedUnit = 'Tokens'
UNION ALL
SELECT CAST(started_at AS DATE), model, project, part.direction, part.cache_action, part.tokens
FROM (
    SELECT *, unnest([
        {direction: 'Input', cache_action: 'Read', tokens: cached_input_tokens},
        {direction: 'Input', cache_action: 'Write', tokens: cache_write_tokens},
        {direction: 'Input', cache_action: 'Uncached',
         tokens: input_tokens - cached_input_tokens - cache_write_tokens},
        {direction: 'Output', cache_action: NULL, tokens: output_tokens}
    ]) AS part
    FROM llm_usage WHERE layer = 'vendor' AND provider = 'Anthropic'
) WHERE part.tokens > 0;
CREATE TEMP VIEW token_costs AS
SELECT CAST(ChargePeriodStart AS DATE) AS day, x_ModelId AS model, EffectiveCost AS cost
FROM focus WHERE ConsumedUnit = 'Tokens' OR x_TokenDirection IS NOT NULL;
"""


def _cases() -> tuple[list[Case], list[Case]]:
    """Questions that have an answer, and questions that must not get a figure."""
    cases: list[Case] = []
    for suite in SUITES:
        cases += yaml.safe_load((HERE / f"{suite}.yaml").read_text(encoding="utf-8"))
    data = [case for case in cases if case["check"] != "status"]
    return data, [case for case in cases if case["check"] == "status"]


def _graded(home: Path, cases: list[Case]) -> list[Graded]:
    assistant = Assistant.open(home)
    try:
        answers = [_asked(assistant, case["question"]) for case in cases]
    finally:
        assistant.close()  # DuckDB opens a file once per process and configuration
    with duckdb.connect(str(home / "costs.duckdb"), read_only=True) as con:
        con.execute(TOKENS)
        return [
            grade(case, answer, con)
            if isinstance(answer, Answer)
            else Graded(case["id"], "wrong", f"{case['id']} {case['question']!r} raised {answer!r}")
            for case, answer in zip(cases, answers, strict=True)
        ]


def _asked(assistant: Assistant, question: str) -> Answer | Exception:
    try:
        return assistant.ask(question)
    except Exception as error:  # reported with the other misses, and as bad as a wrong figure
        return error


def _check(home: Path) -> None:
    data, unanswerable = _cases()
    assert len(data) > 200
    assert len(unanswerable) > 35
    graded = _graded(home, data)
    wrong = [line.report for line in graded if line.outcome == "wrong"]
    declined = [line.report for line in graded if line.outcome == "declined"]
    right = len(graded) - len(wrong) - len(declined)
    print(f"{right} of {len(graded)} right, {len(wrong)} wrong, {len(declined)} declined")
    print("\nDECLINED\n" + "\n".join(declined))
    assert not wrong, "WRONG FIGURES\n" + "\n".join(wrong)
    assert right >= 0.9 * len(graded)
    missed = [line.report for line in _graded(home, unanswerable) if line.outcome != "right"]
    assert not missed, "DECLINED FOR ANOTHER REASON\n" + "\n".join(missed)


def test_answers_are_right_or_there_is_none(sample_home: Path) -> None:
    _check(sample_home)


@pytest.mark.slow
def test_the_same_questions_about_another_year_of_chance(tmp_path: Path) -> None:
    """Seed 11: the same names, other figures."""
    generate(tmp_path / "sample", seed=11)
    home = tmp_path / "home"
    ingest(Home(home), [tmp_path / "sample"])
    shutil.rmtree(tmp_path / "sample")
    _check(home)
