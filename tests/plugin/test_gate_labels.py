"""A gate with people's labels in a real run: shown, deciding, missing, and the same under xdist."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from gated_suite import AXIS, GATE, STEADY, GatedSuite

from pytest_sessioneval.cli import program

OK, FAILED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED
CORRECTED = f'{GATE}decide_on = "corrected"\n'


def command(*arguments: str) -> str:
    """Return what ``sessioneval`` prints when it ends with 0."""
    done = CliRunner().invoke(program, [*arguments])
    assert 0 == done.exit_code, done.output
    return done.stdout


def label(by: int, *options: str, form: str) -> str:
    """Draw, score every session as it was written with ``by`` added, import; return the queue."""
    command("label-queue", "suite", "--axis", AXIS, "--to", form, *options)
    return fill(by, form)


def fill(by: int, form: str) -> str:
    """Fill in and import a form, and return the name of its queue."""
    head, *rows = [json.loads(line) for line in Path(form).read_text("utf-8").splitlines()]
    for row in rows:
        number = int(Path(row["path"]).stem.removeprefix("s"))
        row["scores"] = {AXIS: STEADY[number] + by}
    text = "".join(f"{json.dumps(line)}\n" for line in (head, *rows))
    Path(form).write_text(text, "utf-8")
    command("label", "import", form)
    return str(head["name"])


@pytest.fixture
def blessed(pytester: pytest.Pytester, gated: GatedSuite) -> GatedSuite:
    """Return a suite whose baseline was drawn from and labelled as the judge scored it.

    Then every session was recorded again, and the judge gives 1 point more or less.
    """
    gated.write()
    assert OK == pytester.runpytest_inprocess("-q", "--sessioneval-update-baseline").ret
    queue = label(0, "-n", "22", form="before.jsonl")
    for number, mark in enumerate(STEADY):
        gated.session(f"s{number:02d}", mark + (1 if number % 4 < 2 else -1))
    gated.rules(CORRECTED)
    (gated.root / "queue").write_text(queue)
    return gated


def again(pytester: pytest.Pytester, gated: GatedSuite, by: int) -> None:
    """Judge the new recordings, and have people score them: ``by`` points more than before."""
    pytester.runpytest_inprocess("-q")
    queue = (gated.root / "queue").read_text()
    command("label-queue", "suite", "--again", queue, "--to", "after.jsonl")
    fill(by, "after.jsonl")


def test_labels_that_are_missing_stop_the_merge(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The baseline's are there; today's recordings were not read by anybody yet."""
    result = pytester.runpytest_inprocess("-q")
    assert FAILED == result.ret
    queue = (blessed.root / "queue").read_text()
    result.stdout.fnmatch_lines(
        [f"*0 of 22 drawn sessions have people's labels*--again {queue}*merge is stopped*"]
    )


def test_a_regression_that_only_people_see_stops_the_merge(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The judge saw nothing; the report holds both differences."""
    again(pytester, blessed, by=-10)
    result = pytester.runpytest_inprocess("-q", "--sessioneval-json=report.json")
    assert FAILED == result.ret
    (suite,) = json.loads((pytester.path / "report.json").read_text("utf-8"))["suites"]
    decision = suite["gate"]["decision"]
    compared = decision["axes"][0]["comparisons"][0]
    assert ("regressed", "corrected") == (decision["status"], decision["decide_on"])
    assert 0 == pytest.approx(compared["overall"]["difference"])
    assert -10 == pytest.approx(compared["corrected"]["overall"]["difference"], abs=0.3)
    assert (22, 22) == (compared["corrected"]["drawn"], compared["corrected"]["labelled"])


def test_the_raw_scores_decide_unless_the_suite_says_otherwise(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The line shows both, and a note says that people disagree."""
    again(pytester, blessed, by=-10)
    blessed.rules(GATE)
    result = pytester.runpytest_inprocess("-q")
    assert OK == result.ret
    result.stdout.fnmatch_lines(
        [
            f"*{AXIS}: *0.0 *corrected by 22 labelled sessions -10.0 *passed*",
            "*passed by the judge's scores, and people's labels do not bear it out*",
        ]
    )


def test_labels_that_agree_let_the_merge_go_ahead(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """Decided on the corrected difference."""
    again(pytester, blessed, by=0)
    result = pytester.runpytest_inprocess("-q")
    assert OK == result.ret
    result.stdout.fnmatch_lines(["*by people's labels of 22 sessions*The merge may go ahead.*"])


def test_the_command_decides_by_the_same_labels(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """``sessioneval compare`` finds them in the store of runs started here."""
    again(pytester, blessed, by=-10)
    pytester.runpytest_inprocess("-q", "--sessioneval-json=report.json")
    arguments = ["compare", "suite/baseline.json", "report.json", "--suite", "suite"]
    done = CliRunner().invoke(program, arguments)
    assert 1 == done.exit_code
    assert "by people's labels of 22 sessions" in done.stdout
    other = CliRunner().invoke(program, [*arguments, "--store", "sqlite:///none.db"])
    assert (2, True) == (other.exit_code, "there is no store yet" in other.stderr)


def test_no_corrected_number_depends_on_workers(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """The controller reads the labels."""
    again(pytester, blessed, by=-10)
    decisions = []
    for workers in ((), ("-n", "2")):
        result = pytester.runpytest_inprocess("-q", "--sessioneval-json=r.json", *workers)
        assert FAILED == result.ret
        (suite,) = json.loads((pytester.path / "r.json").read_text("utf-8"))["suites"]
        decisions.append(suite["gate"])
    assert decisions[0] == decisions[1]


def test_labels_that_cannot_be_read_fail_the_run(
    pytester: pytest.Pytester, blessed: GatedSuite
) -> None:
    """Somebody changed what a queue drew: nothing is decided, in one line and no traceback."""
    again(pytester, blessed, by=0)
    with closing(sqlite3.connect(pytester.path / ".sessioneval" / "store.db")) as connection:
        connection.execute("UPDATE label_queues SET content = replace(content, 'random', 'any')")
        connection.commit()
    result = pytester.runpytest_inprocess("-q")
    assert FAILED == result.ret
    result.stdout.fnmatch_lines(["*row 'q-*' of table label_queues cannot be read*"])
    result.stdout.no_fnmatch_line("*Traceback*")
