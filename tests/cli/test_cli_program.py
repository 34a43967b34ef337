"""The command as a whole: what it prints, how it ends, and what it leaves alone."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

import pytest_sessioneval
from pytest_sessioneval.cli import program
from pytest_sessioneval.reports.model import report_schema
from pytest_sessioneval.suites.rubric import builtin_rubrics, load_rubric, rubric_source
from pytest_sessioneval.suites.schema import rubric_schema, suite_schema

COMMAND = str(Path(sysconfig.get_path("scripts")) / "sessioneval")
HEAVY = (
    "pydantic",
    "pandas",
    "httpx",
    "scipy",
    "jinja2",
    "tenacity",
    "sqlite3",
    "pytest",
    "fastapi",
)


def run(*arguments: str) -> Result:
    """Return how the command ends in this process."""
    return CliRunner().invoke(program, list(arguments))


def test_the_installed_command_says_its_version() -> None:
    """Name and version, one line, exit 0."""
    done = subprocess.run([COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert f"pytest-sessioneval {pytest_sessioneval.__version__}\n" == done.stdout


@pytest.mark.parametrize(
    "option", ["--help", "-h", "--version", "init --help", "compare --help", "serve --help"]
)
def test_help_and_version_load_nothing_heavy(option: str) -> None:
    """A fresh interpreter that was asked for help has none of the dependencies but click."""
    code = (
        "import sys\nfrom pytest_sessioneval.cli import main\n"
        f"sys.argv[1:] = {option.split()!r}\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        f"    print(end.code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "0 []" == done.stdout.splitlines()[-1]


def test_help_names_the_commands_there_are() -> None:
    """Commands of later versions are not promised."""
    assert [
        "advise",
        "baseline",
        "calibrate",
        "comment",
        "compare",
        "export",
        "feedback",
        "import",
        "init",
        "judge-check",
        "judge-noise",
        "label",
        "label-queue",
        "ragas-parity",
        "rubric",
        "runs",
        "schema",
        "score",
        "serve",
        "sessions",
        "show",
        "stats",
    ] == sorted(program.commands)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["init"],
        ["judge-check"],
        ["judge-noise"],
        ["schema"],
        ["rubric"],
        ["export"],
        ["import"],
        ["runs"],
        ["score"],
        ["sessions"],
        ["show"],
        ["stats"],
        ["compare"],
        ["comment"],
        ["baseline"],
        ["baseline", "show"],
        ["baseline", "anchor"],
        ["baseline", "canaries"],
        ["baseline", "rejudge"],
    ],
)
def test_each_command_has_help(command: list[str]) -> None:
    """``-h`` works everywhere and exits with 0."""
    done = run(*command, "-h")
    assert 0 == done.exit_code
    assert done.output.startswith("Usage: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["--nothing"],
        ["init"],
        ["judge-check"],
        ["judge-noise"],
        ["judge-noise", "a", "-k", "1"],
        ["init", "a", "b"],
        ["schema", "nothing"],
        ["compare", "a"],
        ["runs", "--limit", "0"],
        ["sessions", "--status", "good"],
        ["sessions", "--limit", "501"],
        ["show"],
        ["import"],
        ["score"],
        ["score", ".", "--scope", "some"],
        ["stats", "--days", "366"],
        ["baseline", "nothing"],
        ["comment"],
    ],
)
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    """A usage error says how the command is used, and prints nothing to standard output."""
    done = run(*arguments)
    assert 2 == done.exit_code
    assert "" == done.stdout
    assert "Usage: " in done.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [("suite", suite_schema()), ("rubric", rubric_schema()), ("report", report_schema())],
)
def test_schema_prints_the_schema(name: str, expected: dict[str, object]) -> None:
    """What is printed is JSON, and the schema that the package checks with."""
    printed = json.loads(run("schema", name).stdout)
    assert expected == printed
    jsonschema.Draft202012Validator.check_schema(printed)


def test_schema_is_about_suite_files_by_default() -> None:
    """The schema most asked for needs no argument."""
    assert run("schema", "suite").stdout == run("schema").stdout


def test_rubric_lists_the_built_in_rubrics() -> None:
    """One line each, with its version and its axes."""
    lines = run("rubric").stdout.splitlines()
    assert list(builtin_rubrics()) == [line.split(" ")[0] for line in lines]
    agent = load_rubric("agent", base=Path())
    assert f"agent (version {agent.version}): {', '.join(agent.axis_names)}" in lines


def test_rubric_prints_the_source_byte_for_byte() -> None:
    """A copy is a rubric file."""
    assert rubric_source("agent").encode() == run("rubric", "agent").stdout_bytes


def test_an_unknown_rubric_is_refused_in_one_line() -> None:
    """The line names the rubric that was probably meant; exit 2."""
    done = run("rubric", "agnet")
    assert (2, "") == (done.exit_code, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "did you mean 'agent'?" in done.stderr


def test_an_unknown_name_cannot_steer_the_terminal() -> None:
    """Escape sequences in an argument are not echoed."""
    assert "\x1b" not in run("rubric", "\x1b[2Jagent").stderr


def test_a_reader_that_stops_reading_gets_no_traceback() -> None:
    """``sessioneval schema | head -1`` is quiet."""
    with subprocess.Popen(
        [COMMAND, "schema", "report"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert b"" == said
    assert 1 == process.returncode


def test_a_terminal_without_the_letters_gets_escapes(tmp_path: Path) -> None:
    """A name that the terminal's encoding lacks ends no command in a traceback."""
    done = subprocess.run(
        [COMMAND, "init", str(tmp_path / "日本")],
        capture_output=True,
        env={"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "1"},
        check=False,
    )
    assert 2 == done.returncode
    assert b"\\u65e5\\u672c: No such file or directory" in done.stderr
    assert b"Traceback" not in done.stderr
