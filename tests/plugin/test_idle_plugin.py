"""Installed and unused: no output, no file, nothing heavy loaded; and the hint for newcomers."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_runs import Sessions, outcomes

_TELLING = """
import sys
from pathlib import Path

def pytest_unconfigure():
    heavy = ("pandas", "numpy", "httpx", "pydantic", "scipy", "tenacity", "jinja2", "sqlite3")
    found = [name for name in heavy if name in sys.modules]
    ours = sorted(name for name in sys.modules if name.startswith("pytest_sessioneval"))
    Path("loaded.txt").write_text(repr((found, ours)))
"""
_HINT = "pytest --sessioneval"
_TEST = "def test_ordinary():\n    assert True\n"


def _subprocess(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run in a fresh interpreter, with this plugin and pytest's own alone."""
    return pytester.runpytest_subprocess("-p", "no:anyio", "-p", "no:cacheprovider", *arguments)


pytestmark = pytest.mark.usefixtures("_installed")


@pytest.mark.parametrize(
    "arguments", [(), ("--co",), ("-p", "no:terminal")], ids=["run", "co", "q"]
)
def test_nothing_heavy_is_loaded(
    pytester: pytest.Pytester, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary project loads three small modules of ours, and none of what we depend on."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(_TELLING)
    pytester.makepyfile(_TEST)
    _subprocess(pytester, "-p", "pytest_sessioneval.plugin", *arguments)
    found, ours = eval((pytester.path / "loaded.txt").read_text(encoding="utf-8"))  # noqa: S307
    assert [] == found
    assert [
        "pytest_sessioneval",
        "pytest_sessioneval.plugin",
        "pytest_sessioneval.shell",
        "pytest_sessioneval.shell.hookspecs",
        "pytest_sessioneval.shell.options",
    ] == ours


@pytest.mark.parametrize("arguments", [("-v",), ("--co",)])
def test_the_output_is_the_same_without_us(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """What an ordinary project prints does not show that we are installed."""
    pytester.makepyfile(_TEST)
    told = []
    for options in ((), ("-p", "no:sessioneval")):
        result = pytester.runpytest(*arguments, *options)
        told.append([line for line in result.outlines if not _differs_anyway(line)])
    assert told[0] == told[1]


def _differs_anyway(line: str) -> bool:
    """Whether a line has the time in it, or pytest's list of what is installed."""
    return " in 0." in line or line.startswith("plugins: ")


def test_no_file_is_made(pytester: pytest.Pytester) -> None:
    """An ordinary project has no file more after a run."""
    pytester.makepyfile(_TEST)
    before = set(pytester.path.iterdir())
    assert {"passed": 1} == outcomes(pytester.runpytest("-p", "no:cacheprovider"))
    assert before == set(pytester.path.iterdir()) - {pytester.path / "__pycache__"}


def test_sessions_beside_tests_are_no_business_of_ours(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A project with recorded sessions and no suite runs its tests, and is told nothing."""
    sessions.good("recorded/a.json")
    pytester.makepyfile(_TEST)
    result = pytester.runpytest()
    assert {"passed": 1} == outcomes(result)
    assert _HINT not in result.stdout.str()
    assert not Path(".sessioneval").exists()


def test_the_fixture_costs_nothing_until_it_is_asked_for(pytester: pytest.Pytester) -> None:
    """``--fixtures`` knows it; nothing is made for it."""
    result = pytester.runpytest("--fixtures", "-q")
    result.stdout.fnmatch_lines(["sessioneval [[]session scope[]]*"])
    assert not Path(".sessioneval").exists()


@pytest.mark.parametrize("arguments", [("recorded",), (".",), ()])
def test_a_folder_of_sessions_gets_a_hint(
    pytester: pytest.Pytester, sessions: Sessions, arguments: tuple[str, ...]
) -> None:
    """A plain ``pytest`` that finds no test, and sessions, says how to judge them."""
    sessions.good("recorded/a.json")
    result = pytester.runpytest(*arguments)
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    shown = arguments[0] if arguments else "."
    result.stdout.fnmatch_lines(["hint: *recorded agent sessions (openai-chat)*"])
    result.stdout.fnmatch_lines([f"  pytest --sessioneval {shown}"])


def test_the_hinted_command_works(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """The command as it was hinted judges the sessions."""
    sessions.good("recorded/a.json")
    lines = pytester.runpytest("recorded").outlines
    (hinted,) = (line.split() for line in lines if line.startswith("  pytest --sessioneval"))
    assert {"passed": 1} == outcomes(pytester.runpytest(*hinted[1:]))


def test_other_json_gets_no_hint(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A folder of JSON that is no session is nobody's business."""
    for n, content in enumerate(["{}", "[1, 2]", "{broken", '{"messages": 5}']):
        sessions.text(f"data/{n}.json", content)
    result = pytester.runpytest("data")
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    assert _HINT not in result.stdout.str()


def test_an_empty_folder_gets_no_hint(pytester: pytest.Pytester) -> None:
    """Nothing is said where nothing is found, and nothing is written."""
    result = pytester.runpytest()
    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    assert _HINT not in result.stdout.str()
    assert not Path(".sessioneval").exists()


def test_deselected_tests_get_no_hint(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """A ``-k`` that leaves nothing is no newcomer's mistake."""
    sessions.good("recorded/a.json")
    pytester.makepyfile(_TEST)
    assert _HINT not in pytester.runpytest("-k", "nobody").stdout.str()


def test_the_hint_does_not_search_for_long(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Folders pytest does not enter, and what lies behind 2,000 others, are not looked into."""
    sessions.good("node_modules/a.json")
    assert _HINT not in pytester.runpytest().stdout.str()
    (pytester.path / "many").mkdir()
    for n in range(2_000):
        (pytester.path / "many" / str(n)).touch()
    sessions.good("z/a.json")
    assert _HINT not in pytester.runpytest().stdout.str()
