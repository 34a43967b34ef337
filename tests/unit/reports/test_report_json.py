"""report.json is what its schema says, and can be looked at."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files

import jsonschema
import pytest
from report_runs import airline_run, empty_run, evidence_run, hostile_run, many_run
from report_values import make_run

from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.reports.model import Report, report_schema
from pytest_sessioneval.verdicts.run import Run

_RUNS = [airline_run, evidence_run, empty_run, hostile_run, make_run]


@pytest.mark.parametrize("make", _RUNS, ids=lambda make: make.__name__)
def test_a_report_satisfies_the_schema(make: Callable[[], Run]) -> None:
    """Every kind of run validates against the schema that is shipped."""
    shipped = json.loads(files("pytest_sessioneval.reports").joinpath(_SCHEMA).read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(
        shipped, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    validator.validate(json.loads(render_json(build_report(make()))))


def test_the_schema_refuses_what_is_no_report() -> None:
    """A key nobody knows and a score that is no number are refused."""
    report = json.loads(render_json(build_report(airline_run())))
    report["suites"][0]["means"][0]["mean"] = "high"
    report["unknown"] = 1
    errors = jsonschema.Draft202012Validator(report_schema()).iter_errors(report)
    assert {"type", "additionalProperties", "anyOf"} >= {str(e.validator) for e in errors} != set()


def test_every_key_is_described() -> None:
    """Each field of each model in the schema says what it holds."""
    undescribed = [
        f"{name}.{field}"
        for name, model in report_schema()["$defs"].items()
        for field, value in model.get("properties", {}).items()
        if not value.get("description")
    ]
    assert [] == undescribed


@pytest.mark.parametrize("make", _RUNS, ids=lambda make: make.__name__)
def test_a_report_reads_back(make: Callable[[], Run]) -> None:
    """What is written is the report, nothing lost."""
    report = build_report(make())
    assert report == Report.model_validate_json(render_json(report))


def test_equal_runs_give_equal_bytes() -> None:
    """Rendered twice from runs made twice, the text is the same."""
    assert render_json(build_report(airline_run())) == render_json(build_report(airline_run()))


def test_each_session_has_a_line_of_its_own() -> None:
    """A difference between two reports shows as lines of sessions."""
    lines = render_json(build_report(many_run(5))).splitlines()
    assert 5 == sum(line.startswith('        {"key":"task-') for line in lines)


def test_two_suites_keep_their_own_sessions() -> None:
    """Sessions are put where they belong, also beside a suite without any."""
    run = make_run(*empty_run().suites, *many_run(2).suites, *evidence_run().suites)
    found = json.loads(render_json(build_report(run)))
    assert [0, 2, 2] == [len(suite["sessions"]) for suite in found["suites"]]


def test_the_file_ends_in_one_line_feed() -> None:
    """As files of lines do."""
    assert "}\n" == render_json(build_report(airline_run()))[-2:]


def test_no_transcript_text_is_in_the_report() -> None:
    """Fingerprints of single messages, which collection keeps, are not in it either."""
    assert "prefix_digests" not in render_json(build_report(airline_run()))


def test_looking_at_the_file_does_not_steer_a_terminal() -> None:
    """Control and reordering characters are written as escapes that read back."""
    text = render_json(build_report(hostile_run()))
    assert not set(text) & {"\x1b", "\x9b", "\u202e", "\x07", "\x00"}
    assert "\\u009b" in text


_SCHEMA = "report.schema.json"


def test_a_report_from_before_titles_is_read() -> None:
    """A new key does not raise the schema version, so an older report lacks it."""
    old = json.loads(render_json(build_report(airline_run())))
    for session in old["suites"][0]["sessions"]:
        del session["title"]
    assert {None} == {s.title for s in Report.model_validate(old).suites[0].sessions}
