"""Globs for a suite file: they match the files with sessions and no other."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from pytest_sessioneval.evaluation.covering import covering_globs
from pytest_sessioneval.evaluation.walking import walk


@pytest.mark.parametrize(
    ("wanted", "others", "expected"),
    [
        (["a.json"], ["b/c.json"], ["*.json"]),
        (["a/x.json"], ["package.json"], ["a/**/*.json"]),
        (["a/x.json", "a/b/y.json"], ["package.json"], ["a/**/*.json"]),
        (["x.jsonl", "a/y.jsonl"], ["package.json"], ["**/*.jsonl"]),
        (["a/x.json", "b/y.json"], ["package.json"], ["a/**/*.json", "b/**/*.json"]),
        (["a/x.json", "a/y.jsonl"], ["p.json"], ["a/**/*.json", "a/**/*.jsonl"]),
        (
            ["a/x.json", "a/b/y.json"],
            ["a/b/no.json"],
            ["a/*.json", "a/b/y.json"],
        ),
        (["x.json", "a/y.json"], ["no.json"], ["x.json", "a/**/*.json"]),
        (["[1]/x.json"], ["1/x.json"], ["[[]1]/**/*.json"]),
    ],
)
def test_the_globs_are_as_wide_as_they_can_be(
    wanted: list[str], others: list[str], expected: list[str]
) -> None:
    """A folder without other files is taken whole; single files only where they must be named."""
    assert tuple(expected) == covering_globs(wanted, others)


@pytest.mark.parametrize(
    ("wanted", "others"),
    [
        (["session"], ["package.json"]),
        (["session.md", "x.json"], ["package.json"]),
        ([f"{n}.json" for n in range(7)], ["package.json"]),
        (["\udcff/a.json"], ["package.json"]),
        ([], ["package.json"]),
    ],
    ids=["no suffix", "another suffix", "too many", "a name that is no text", "no file"],
)
def test_there_may_be_none(wanted: list[str], others: list[str]) -> None:
    """A glob that would match README, or a list of single files, is no help."""
    assert () == covering_globs(wanted, others)


NAMES = st.sampled_from(["a", "b*", "[c]", "d?", "e f"])
PATHS = st.builds(
    lambda folders, name, suffix: "/".join([*folders, name + suffix]),
    st.lists(NAMES, max_size=2),
    NAMES,
    st.sampled_from([".json", ".jsonl"]),
)


@settings(deadline=None)
@given(wanted=st.sets(PATHS, min_size=1, max_size=6), others=st.sets(PATHS, max_size=6))
def test_a_walk_finds_what_was_wanted(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str], others: set[str]
) -> None:
    """Whatever the names: with the globs, real files are candidates if and only if wanted."""
    others -= wanted
    root = tmp_path_factory.mktemp("suite")
    for path in wanted | others:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(json.dumps([]), "utf-8")
    globs = covering_globs(wanted, others)
    if globs:
        assert wanted == {candidate.relative for candidate in walk(root, globs=globs)}
    else:
        assert len(wanted) > 1
