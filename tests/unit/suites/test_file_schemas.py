"""The shipped JSON Schemas accept what the package accepts, and refuse what it refuses."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.model import Rubric, SuiteFile
from pytest_sessioneval.suites.rubric import rubric_source
from pytest_sessioneval.suites.schema import rubric_schema, suite_schema
from pytest_sessioneval.suites.tomlfile import parse_toml

SCHEMAS = {"suite": suite_schema(), "rubric": rubric_schema()}

GOOD_SUITES = [
    "",
    "[suite]\nname = 'a'\nsessions = ['*.json']\n[profiles]\ndefault = 'p.md'\n",
    "[judge]\nmodel = 'openai:m'\nrepeats = 2\ntemperature = 0\nshow_feedback = true\n",
    "[[expect]]\nmust_call = ['a', { tool = 'b', args = { x = [1, { y = 2.5 }] } }]\n",
    "[gate]\naxes = ['efficiency']\nbreak = 30\n[gate.margins]\ndefault = 2.5\n",
]
BAD_SUITES = [
    "[suite]\nsesions = []\n",
    "[suite]\nsessions = 'x'\n",
    "[judge]\nmodel = 'gpt'\n",
    "[judge]\nrepeats = 0\n",
    "[judge]\nrepeats = '2'\n",
    "[gate]\nbreak_ = 30\n",
    "[gate]\non_inconclusive = 'warn'\n",
    "[[expect]]\nmust_call = [{ args = {} }]\n",
    "[[expect]]\nmax_messages = 0\n",
    "[thresholds.session]\nefficiency = 101\n",
    "[[judge.experts]]\nid = ''\ninstruction = 'x'\naxes = []\n",
]
AXIS = "name = 'r'\nversion = 1\n[[axes]]\nname = 'a'\nquestion = 'q'\n"
GOOD_RUBRICS = [
    rubric_source("agent"),
    AXIS + "[axes.levels]\n0 = 'no'\n100 = 'yes'\n",
    AXIS + "levels = [{ score = 0, anchor = 'no' }, { score = 100, anchor = 'yes' }]\n",
]
BAD_RUBRICS = [
    AXIS,
    AXIS + "[axes.levels]\n0 = 'no'\n101 = 'yes'\n",
    AXIS + "[axes.levels]\n0 = 'no'\nbest = 'yes'\n",
    AXIS + "[axes.levels]\n0 = 1\n100 = 'yes'\n",
    AXIS + "evidence_roles = ['robot']\n[axes.levels]\n0 = 'no'\n100 = 'yes'\n",
]


def accepted(model: type[SuiteFile | Rubric], source: str) -> bool:
    """Return whether the package reads the source."""
    try:
        parse_toml(source, name="x").read_as(model)
    except SuiteError:
        return False
    return True


@pytest.mark.parametrize("name", SCHEMAS)
def test_they_are_valid_schemas(name: str) -> None:
    """Draft 2020-12, with a title, a description, and no address that would have to exist."""
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert schema["description"]
    assert "$id" not in schema


@pytest.mark.parametrize(
    ("name", "source"),
    [("suite", source) for source in GOOD_SUITES] + [("rubric", source) for source in GOOD_RUBRICS],
)
def test_what_is_accepted_is_valid(name: str, source: str) -> None:
    """A file that the package reads has no schema error."""
    errors = Draft202012Validator(SCHEMAS[name]).iter_errors(tomllib.loads(source))
    assert [error.message for error in errors] == []
    assert accepted(SuiteFile if name == "suite" else Rubric, source)


@pytest.mark.parametrize(
    ("name", "source"),
    [("suite", source) for source in BAD_SUITES] + [("rubric", source) for source in BAD_RUBRICS],
)
def test_what_is_refused_is_invalid(name: str, source: str) -> None:
    """An editor that knows the schema marks what the package refuses."""
    assert not Draft202012Validator(SCHEMAS[name]).is_valid(tomllib.loads(source))
    assert not accepted(SuiteFile if name == "suite" else Rubric, source)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described(name: str) -> None:
    """The line beneath each field is its description, down to the last table."""
    tables: list[dict[str, Any]] = [SCHEMAS[name], *SCHEMAS[name]["$defs"].values()]
    undescribed = [
        f"{table['title']}.{key}"
        for table in tables
        for key, value in table.get("properties", {}).items()
        if not value.get("description")
    ]
    assert undescribed == []


def test_the_specification_of_the_shared_folder_is_valid(shared_data: Path) -> None:
    """The suite file printed in the design, read in place, is valid as it stands."""
    design = (shared_data.parent / "DESIGN.md").read_text("utf-8")
    source = design.split("### Suite file\n```toml\n")[1].split("```")[0].replace("…", "x:y")
    errors = Draft202012Validator(SCHEMAS["suite"]).iter_errors(
        tomllib.loads(source.replace("openai:x:y", "openai:m").replace('model = "x:y"', ""))
    )
    assert [error.message for error in errors] == []
