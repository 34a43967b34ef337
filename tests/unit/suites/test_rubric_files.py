"""Rubric files: how they are found, what is refused, and what their version covers."""

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.model import Rubric
from pytest_sessioneval.suites.rubric import (
    builtin_rubrics,
    load_rubric,
    rubric_source,
    rubric_version,
)

MINIMAL = """\
name = "mine"
version = 2

[[axes]]
name = "kindness"
question = '''
Was it
kind?

Say why.
'''
failure_tags = ["rude"]
[axes.levels]
0 = "no"
50 = '''half
way'''
100 = "yes"

[[experts]]
id = "one"
axes = ["kindness"]
instruction = "Look."
"""


def load(folder: Path, source: str) -> Rubric:
    """Return the rubric of this text, read from a file."""
    (folder / "r.toml").write_text(source, "utf-8")
    return load_rubric("r.toml", base=folder)


def refusal(folder: Path, source: str) -> str:
    """Return why a rubric of this text is refused, without the folder's name."""
    with pytest.raises(SuiteError) as caught:
        load(folder, source)
    return str(caught.value).replace(f"{folder}/", "")


def test_a_file_is_read_from_the_base(tmp_path: Path) -> None:
    """Levels are written as a table and keep its order; axes and experts are there."""
    rubric = load(tmp_path, MINIMAL)
    assert (rubric.name, rubric.version, rubric.axis_names) == ("mine", 2, ("kindness",))
    levels = [(level.score, level.anchor) for level in rubric.axes[0].levels]
    assert levels == [(0, "no"), (50, "half way"), (100, "yes")]


def test_prose_may_be_wrapped_anywhere(tmp_path: Path) -> None:
    """Line breaks are spaces, empty lines part paragraphs: layout never changes a version."""
    rubric = load(tmp_path, MINIMAL)
    assert rubric.axes[0].question == "Was it kind?\n\nSay why."
    rewrapped = load(tmp_path, MINIMAL.replace("Was it\nkind?", "Was it kind?"))
    assert rubric_version(rubric) == rubric_version(rewrapped)


def test_a_rubric_survives_json(tmp_path: Path) -> None:
    """What is written as JSON for another process is read as the same rubric."""
    rubric = load(tmp_path, MINIMAL)
    assert rubric == Rubric.model_validate_json(rubric.model_dump_json())


def test_built_in_rubrics_are_listed() -> None:
    """The rubric ``agent`` is among them, and each one loads."""
    assert "agent" in builtin_rubrics()
    assert builtin_rubrics() == tuple(
        load_rubric(name, base=Path("nowhere")).name for name in builtin_rubrics()
    )


def test_the_source_of_a_built_in_rubric_can_be_copied(tmp_path: Path) -> None:
    """A copy under another file name is the same rubric, with the same version."""
    copy = load(tmp_path, rubric_source("agent"))
    assert rubric_version(load_rubric("agent", base=tmp_path)) == rubric_version(copy)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    """A misspelt name is neither a file nor silently the default."""
    with pytest.raises(SuiteError) as caught:
        load_rubric("agnt", base=Path("nowhere"))
    assert (
        "there is no rubric 'agnt', neither built in nor as a file (did you mean 'agent'?);"
        " built in: agent" in str(caught.value)
    )


def test_a_path_may_leave_the_base_only_where_the_user_typed_it(tmp_path: Path) -> None:
    """A file of the suite cannot name a rubric elsewhere; the command line can."""
    (tmp_path / "r.toml").write_text(MINIMAL, "utf-8")
    (tmp_path / "suite").mkdir()
    with pytest.raises(SuiteError, match=r"'\.\./r\.toml' leads out of the suite's folder"):
        load_rubric("../r.toml", base=tmp_path / "suite")
    rubric = load_rubric("../r.toml", base=tmp_path / "suite", confined=False)
    assert rubric.name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "50 = ",
            "150 = ",
            "r.toml:13: axes[0].levels: level '150' is no whole number from 0 to 100",
        ),
        ('0 = "no"', "0 = 3", "r.toml:13: axes[0].levels: level 0 has no text; accepted: a string"),
        (
            '100 = "yes"',
            '40 = "yes"',
            "r.toml:13: levels of 'kindness' must rise from line to line: 0, 50, 40",
        ),
        ('100 = "yes"', '100 = " "', "r.toml:17: level 100 of 'kindness' describes nothing"),
        (
            "50 = '''half\nway'''\n100 = \"yes\"\n",
            "",
            "r.toml:13: axis 'kindness' needs at least two levels",
        ),
        ("rude", "other", "r.toml:12: failure tag 'other' of 'kindness' is taken or empty"),
        ('"rude"', '"a", "a"', "r.toml:12: failure tag 'a' of 'kindness' is there twice"),
        (
            "failure_tags",
            "nullable = true\nfailure_tags",
            "r.toml:12: axis 'kindness' may be null: say when, in null_when",
        ),
        (
            "failure_tags",
            "applies_if = 'subagents'\nfailure_tags",
            "r.toml:12: applies_if of 'kindness' needs nullable = true",
        ),
        (
            'name = "kindness"',
            'name = "Kind"',
            (
                'r.toml:5: axes[0].name is the string "Kind"; accepted: a string matching'
                " ^[a-z][a-z0-9_]*$"
            ),
        ),
        (
            'axes = ["kindness"]',
            'axes = ["kindnes"]',
            (
                "r.toml:5: axis 'kindness' is answered by no expert; add it to the axes of one\n"
                "r.toml:21: expert 'one': 'kindnes' is no axis of rubric mine (did you mean"
                " 'kindness'?); accepted: kindness"
            ),
        ),
        ('"kindness"]', '"kindness", "kindness"]', "r.toml:21: expert 'one' has 'kindness' twice"),
        ('"Look."', '""', "r.toml:22: expert 'one' has no instruction"),
        (
            "version = 2",
            "version = 0",
            "r.toml:2: version is the number 0; accepted: a whole number of at least 1",
        ),
        (
            'name = "mine"',
            'name = "my rubric"',
            (
                'r.toml:1: name is the string "my rubric"; accepted: a string matching'
                " ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
            ),
        ),
        (
            "failure_tags",
            "evidence_rolls = ['tool']\nfailure_tags",
            (
                "r.toml:12: [[axes]] has no key 'evidence_rolls' (did you mean 'evidence_roles'?);"
                " accepted: name, question, levels, failure_tags, evidence_roles, nullable,"
                " null_when, applies_if, gated, metric, direction"
            ),
        ),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each mistake is told with the line it is on."""
    assert old in MINIMAL
    assert message == refusal(tmp_path, MINIMAL.replace(old, new, 1))


def test_a_rubric_without_axes_is_refused(tmp_path: Path) -> None:
    """There is nothing to score, and the message says how axes are written."""
    message = refusal(tmp_path, 'name = "m"\nversion = 1\naxes = []\n')
    assert message == "r.toml:3: a rubric needs at least one axis, written as [[axes]]"


def test_axes_and_experts_have_names_of_their_own(tmp_path: Path) -> None:
    """A name given twice, or one that the gate's margins use, is refused."""
    twice = MINIMAL + MINIMAL[MINIMAL.index("[[axes]]") :]
    assert (
        refusal(tmp_path, twice)
        == "r.toml:24: axis 'kindness' is there twice\nr.toml:39: expert 'one' is there twice"
    )
    assert (
        refusal(tmp_path, MINIMAL.replace("kindness", "default"))
    ) == "r.toml:5: 'default' cannot name an axis: [gate.margins] has a key of that name"


def test_a_rubric_without_experts_is_accepted(tmp_path: Path) -> None:
    """One expert answers every axis then."""
    assert load(tmp_path, MINIMAL[: MINIMAL.index("[[experts]]")]).experts == ()


def test_a_file_beyond_one_mebibyte_is_refused(tmp_path: Path) -> None:
    """The limit is named."""
    message = refusal(tmp_path, MINIMAL + "#" * 1024 * 1024)
    assert message == "r.toml: this rubric is larger than the 1,048,576 bytes accepted"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kind?", "polite?"),
        ('"no"', '"never"'),
        ("50 = ", "60 = "),
        ("rude", "harsh"),
        ("failure_tags", "evidence_roles = ['user']\nfailure_tags"),
        ("failure_tags", "nullable = true\nnull_when = 'x'\nfailure_tags"),
        ("version = 2", "version = 2\nscore_mode = 'free'"),
        ('"kindness"', '"warmth"'),
    ],
)
def test_what_changes_a_score_changes_the_digest(tmp_path: Path, old: str, new: str) -> None:
    """Questions, levels, tags, roles, nullability, score mode and axes are in the version."""
    assert old in MINIMAL
    before = rubric_version(load(tmp_path, MINIMAL))
    after = rubric_version(load(tmp_path, MINIMAL.replace(old, new)))
    assert before.split("#")[0] == after.split("#")[0]
    assert before != after


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Look.", "Look closely."),
        ('id = "one"', 'id = "two"'),
        ("failure_tags", "gated = false\nfailure_tags"),
        ("failure_tags", "nullable = false\nfailure_tags"),
        ('name = "mine"', '# mine\nname = "mine"'),
    ],
)
def test_what_changes_no_score_leaves_the_version(tmp_path: Path, old: str, new: str) -> None:
    """Experts belong to the judge's version; gating, defaults and comments move no score."""
    assert old in MINIMAL
    before = rubric_version(load(tmp_path, MINIMAL))
    assert before == rubric_version(load(tmp_path, MINIMAL.replace(old, new, 1)))


def test_the_version_shows_name_and_number(tmp_path: Path) -> None:
    """``name@n#`` and eight hex digits of the digest."""
    version = rubric_version(load(tmp_path, MINIMAL))
    assert version.split("#")[0] == "mine@2"
    assert len(bytes.fromhex(version.split("#")[1]).hex()) == 8
