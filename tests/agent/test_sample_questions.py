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

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "sample_questions.yaml").read_text(encoding="utf-8")
)
DATA = [case for case in CASES if case["check"] != "status"]
DECLINED = [case for case in CASES if case["check"] == "status"]


def _graded(home: Path, cases: list[dict[str, Any]]) -> list[Graded]:
    assistant = Assistant.open(home)
    try:
        answers = [_asked(assistant, case["question"]) for case in cases]
    finally:
        assistant.close()  # DuckDB opens a file once per process and configuration
    with duckdb.connect(str(home / "costs.duckdb"), read_only=True) as con:
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


def _check_data(home: Path) -> None:
    graded = _graded(home, DATA)
    wrong = [line.report for line in graded if line.outcome == "wrong"]
    declined = [line.report for line in graded if line.outcome == "declined"]
    right = len(graded) - len(wrong) - len(declined)
    print(f"{right} of {len(graded)} right, {len(wrong)} wrong, {len(declined)} declined")
    print("\nDECLINED\n" + "\n".join(declined))
    assert not wrong, "WRONG FIGURES\n" + "\n".join(wrong)
    assert right >= 0.9 * len(graded)


def test_data_questions_are_right_and_no_figure_is_wrong(sample_home: Path) -> None:
    assert len(DATA) >= 70
    _check_data(sample_home)


def test_questions_without_an_answer_are_declined_for_the_right_reason(sample_home: Path) -> None:
    assert len(DECLINED) >= 12
    missed = [line.report for line in _graded(sample_home, DECLINED) if line.outcome != "right"]
    assert not missed, "\n".join(missed)


@pytest.mark.slow
def test_the_same_questions_about_another_year_of_chance(tmp_path: Path) -> None:
    """Seed 11: the same names, other figures."""
    generate(tmp_path / "sample", seed=11)
    home = tmp_path / "home"
    ingest(Home(home), [tmp_path / "sample" / "bills"])
    shutil.rmtree(tmp_path / "sample")
    _check_data(home)
    missed = [line.report for line in _graded(home, DECLINED) if line.outcome != "right"]
    assert not missed, "\n".join(missed)
