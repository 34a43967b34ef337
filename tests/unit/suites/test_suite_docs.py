"""The pages on suite files and rubrics name every key, with its default, and nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pytest_sessioneval.suites.feedback import read_feedback
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import (
    Axis,
    Expectation,
    ExpectedCall,
    Expert,
    FeedbackEntry,
    GateSettings,
    JudgeSettings,
    RedactSettings,
    Rubric,
    SuiteFile,
    SuiteSettings,
    Thresholds,
)
from pytest_sessioneval.suites.rubric import (
    builtin_rubrics,
    load_rubric,
    rubric_version,
)
from pytest_sessioneval.transcripts.redaction_policy import OwnSecret

DOCS = Path(__file__).resolve().parents[3] / "docs"
SUITE_PAGE = (DOCS / "suite-file.md").read_text("utf-8")
RUBRIC_PAGE = (DOCS / "rubrics.md").read_text("utf-8")
HEAD = "| key | value | default | meaning |\n|---|---|---|---|\n"


def tables(page: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each table of keys: the line of text before it, and its keys with their defaults."""
    before, *rest = page.split(HEAD)
    for part in rest:
        rows = []
        for line in part.split("\n"):
            if not line.startswith("|"):
                break
            key, _, default, _ = (cell.strip() for cell in line.strip("|").split(" | "))
            rows.append((key.strip("`"), default.strip("`")))
        yield before.strip().split("\n")[-1], rows
        before = part


def default_text(field: FieldInfo) -> str:
    """Return a field's default as the pages write it."""
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return json.dumps(field.default)


@pytest.mark.parametrize(
    ("page", "number", "model"),
    [
        (SUITE_PAGE, 0, SuiteSettings),
        (SUITE_PAGE, 1, JudgeSettings),
        (SUITE_PAGE, 2, Expert),
        (SUITE_PAGE, 3, Expectation),
        (SUITE_PAGE, 4, ExpectedCall),
        (SUITE_PAGE, 5, RedactSettings),
        (SUITE_PAGE, 6, OwnSecret),
        (SUITE_PAGE, 7, GateSettings),
        (SUITE_PAGE, 8, FeedbackEntry),
        (RUBRIC_PAGE, 0, Rubric),
        (RUBRIC_PAGE, 1, Axis),
    ],
)
def test_each_table_lists_its_models_keys(page: str, number: int, model: type[BaseModel]) -> None:
    """Same keys, same order, same defaults."""
    expected = [
        (field.alias or name, default_text(field)) for name, field in model.model_fields.items()
    ]
    assert expected == list(tables(page))[number][1]


def test_no_table_is_left_untested() -> None:
    """Nine tables on the one page, two on the other."""
    assert (len(list(tables(SUITE_PAGE))), len(list(tables(RUBRIC_PAGE)))) == (9, 2)


def test_each_section_has_a_heading() -> None:
    """The sections of a suite file are found by their names."""
    headings = " ".join(re.findall(r"^## (.*)$", SUITE_PAGE, re.MULTILINE))
    missing = [name for name in SuiteFile.model_fields if f"[{name}" not in headings]
    missing += [name for name in Thresholds.model_fields if f"[thresholds.{name}]" not in headings]
    assert missing == []


def test_the_seven_axes_are_described() -> None:
    """The first table of the page on rubrics names the axes of ``agent``, in order."""
    names = re.findall(r"^\| `([a-z_]+)` \|", RUBRIC_PAGE, re.MULTILINE)
    assert load_rubric("agent", base=DOCS).axis_names == tuple(names[:7])
    assert all(f"`{name}`" in RUBRIC_PAGE for name in builtin_rubrics())


@pytest.mark.parametrize("source", re.findall(r"```toml\n(.*?)```", SUITE_PAGE, re.DOTALL))
def test_suite_examples_load(tmp_path: Path, source: str) -> None:
    """What is printed works when it is copied, once the profiles it names are there."""
    for path in re.findall(r'"(profiles/.*?)"', source):
        (tmp_path / "profiles").mkdir(exist_ok=True)
        (tmp_path / path).write_text("text", "utf-8")
    (tmp_path / "sessioneval.toml").write_text(source, "utf-8")
    assert tmp_path == load_suite(tmp_path).root


def test_the_rubric_examples_load(tmp_path: Path) -> None:
    """The suite that is printed uses the rubric that is printed, under the version printed."""
    suite, rubric = re.findall(r"```toml\n(.*?)```", RUBRIC_PAGE, re.DOTALL)
    (tmp_path / "my-rubric.toml").write_text(rubric, "utf-8")
    (tmp_path / "sessioneval.toml").write_text(suite, "utf-8")
    version = rubric_version(load_suite(tmp_path).rubric)
    assert f"for example `{version}`" in RUBRIC_PAGE


def test_the_feedback_example_loads(tmp_path: Path) -> None:
    """The line that is printed is accepted."""
    (line,) = re.findall(r"```json\n(.*?)```", SUITE_PAGE, re.DOTALL)
    (tmp_path / "f.jsonl").write_text(line, "utf-8")
    assert read_feedback(tmp_path / "f.jsonl")[0].comment == "wrong flight"
