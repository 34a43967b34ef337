"""``sessioneval label-queue`` and ``label``: drawn, filled in, imported, kept apart, exported."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gating_cases import AXIS, STEADY, judged, write_sessions, write_suite

from pytest_sessioneval.cli import program
from pytest_sessioneval.reports.build import build_report
from pytest_sessioneval.reports.json_file import render_json
from pytest_sessioneval.stores.sqlite import open_sqlite
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.suites.model import Suite


def run(*arguments: str | Path) -> Result:
    """Return how the command ends in this process."""
    return CliRunner().invoke(program, [*map(str, arguments)])


def printed(*arguments: str | Path) -> str:
    """Return what it prints when it ends with 0."""
    done = run(*arguments)
    assert 0 == done.exit_code, done.output
    return done.stdout


def refused(*arguments: str | Path) -> str:
    """Return what it says when it ends with 2."""
    done = run(*arguments)
    assert 2 == done.exit_code, done.output
    return done.stderr


def report(suite: Suite, name: str = "report.json") -> Path:
    """Judge the suite and write its report."""
    path = suite.root / name
    path.write_text(render_json(build_report(judged(suite))), "utf-8")
    return path


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Return a judged suite of 24 sessions in the current folder."""
    monkeypatch.delenv("SESSIONEVAL_STORE", raising=False)
    made = write_suite(tmp_path / "airline", STEADY, more="")
    monkeypatch.chdir(made.root)
    report(made)
    return made


def form(name: str = "form.jsonl") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the queue's line of a form, and its sessions' lines."""
    head, *rows = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]
    return head, rows


def fill(scores: Mapping[str, float], name: str = "form.jsonl") -> None:
    """Fill in a form: scores by session id, null for the others."""
    head, rows = form(name)
    for row in rows:
        row["scores"] = {axis: scores.get(row["session_id"]) for axis in row["scores"]}
        row["by"] = "ann"
    Path(name).write_text("".join(f"{json.dumps(line)}\n" for line in (head, *rows)), "utf-8")


@pytest.mark.usefixtures("suite")
def test_a_queue_is_drawn_and_its_form_written() -> None:
    """With the chance that each session had, in even shares of the score bands."""
    said = printed("label-queue", "report.json", "-n", "6", "--axis", AXIS, "--to", "form.jsonl")
    head, rows = form()
    assert f"queue {head['name']}: 6 of 24 judged sessions of airline, for {AXIS}" in said
    assert "each with a chance of 25.0 %: 6 of 24 at 76+" in said
    assert (0.25, 24, 6) == (head["queue"]["propensity"], head["queue"]["frame"], len(rows))
    assert all({AXIS: None} == row["scores"] for row in rows)
    assert "airline" not in rows[0]["path"] or rows[0]["path"].endswith(rows[0]["session_id"])


@pytest.mark.usefixtures("suite")
def test_the_same_draw_again_is_the_same_queue() -> None:
    """And a form that was filled in is never written over."""
    printed("label-queue", "report.json", "-n", "6", "--to", "form.jsonl")
    printed("label-queue", "report.json", "-n", "6", "--to", "other.jsonl")
    assert form()[0]["name"] == form("other.jsonl")[0]["name"]
    assert "form.jsonl is there already" in refused(
        "label-queue", "report.json", "-n", "6", "--to", "form.jsonl"
    )
    assert 1 == len(json.loads(printed("label", "list", "--json"))["queues"])


@pytest.mark.usefixtures("suite")
def test_a_filled_form_becomes_random_labels() -> None:
    """What is null stays open."""
    printed("label-queue", "report.json", "-n", "4", "--axis", AXIS, "--to", "form.jsonl")
    done = [row["session_id"] for row in form()[1]][:3]
    fill(dict.fromkeys(done, 60))
    said = printed("label", "import", "form.jsonl")
    assert "form.jsonl: kept 3 labels (3 random)" in said
    assert "1 session without a score yet" in said
    assert "(random, airline): 3 of 4 sessions labelled" in printed("label", "list")


@pytest.mark.usefixtures("suite")
def test_a_form_can_be_imported_where_nobody_drew_it() -> None:
    """In CI the store is new: the file itself proves what was drawn."""
    printed("label-queue", "report.json", "-n", "4", "--axis", AXIS, "--to", "form.jsonl")
    fill({row["session_id"]: 60 for row in form()[1]})
    said = printed("label", "import", "form.jsonl", "--store", "sqlite:///new/store.db")
    assert "kept 4 labels (4 random)" in said


@pytest.mark.usefixtures("suite")
def test_a_label_added_to_a_form_is_refused() -> None:
    """The session that was complained about was not drawn."""
    printed("label-queue", "report.json", "-n", "4", "--axis", AXIS, "--to", "form.jsonl")
    rest = [json.loads(line) for line in Path("form.jsonl").read_text("utf-8").splitlines()]
    drawn = {row["digest"] for row in rest[1:]}
    other = next(
        one["verdict"]["digest"]
        for one in json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"]
        if one["verdict"]["digest"] not in drawn
    )
    rest.append({**rest[1], "digest": other, "scores": {AXIS: 0}})
    Path("form.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in rest), "utf-8")
    assert "form.jsonl:6: queue q-" in refused("label", "import", "form.jsonl")
    assert "no labels" in printed("label", "list")


def test_the_same_sessions_are_drawn_again_in_another_recording(suite: Suite) -> None:
    """Half of them changed: only those are in the form, under the earlier draw's chance."""
    printed("label-queue", "report.json", "-n", "24", "--axis", AXIS, "--to", "form.jsonl")
    fill({row["session_id"]: 60 for row in form()[1]})
    printed("label", "import", "form.jsonl")
    first = form()[0]["name"]
    write_sessions(suite.root, [*STEADY[:12], *([0.1, 0.2] * 6)])
    report(load_suite(suite.root), "after.json")
    said = printed("label-queue", "after.json", "--again", first, "--to", "again.jsonl")
    head, rows = form("again.jsonl")
    assert (first, 24, 12) == (head["queue"]["draw"], len(head["queue"]["members"]), len(rows))
    assert f"the sessions of draw {first}, as they are recorded now" in said
    assert "12 sessions unchanged and labelled before: left out of the form" in said


@pytest.mark.usefixtures("suite")
def test_a_diagnostic_queue_starts_with_what_people_disagree_with() -> None:
    """Its labels are kept apart."""
    session = json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"][3]
    printed("feedback", "add", session["session_id"], "1", "down")
    said = printed(
        "label-queue", "report.json", "--diagnostic", "--axis", AXIS, "--to", "form.jsonl"
    )
    assert "chosen to find faults: these labels never correct a score" in said
    assert "thumbs down, and a mean of 80" in said
    fill({session["session_id"]: 20})
    said = printed("label", "import", "form.jsonl")
    assert "form.jsonl: kept 1 label (1 diagnostic)" in said
    assert "only random labels correct a judge" in said
    assert "why" not in Path("form.jsonl").read_text("utf-8")


@pytest.mark.usefixtures("suite")
def test_a_diagnostic_queue_of_nothing_is_refused() -> None:
    """And says where thumbs come from."""
    assert "sessioneval feedback import" in refused("label-queue", "report.json", "--diagnostic")


@pytest.mark.usefixtures("suite")
def test_a_label_of_a_complaint_is_kept_apart() -> None:
    """No queue asked for it."""
    session = json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"][0]
    said = printed("label", "add", session["session_id"], AXIS, "20", "--complaint")
    assert f"kept: 20 on {AXIS} of {session['session_id']} (complaint)\n" == said
    (label,) = json.loads(printed("label", "list", "--json"))["labels"]
    assert (session["verdict"]["digest"], "complaint", "") == (
        *(label[key] for key in ("digest", "source", "queue")),
    )


@pytest.mark.usefixtures("suite")
def test_a_label_of_an_unknown_session_is_refused() -> None:
    """There is no transcript to tie it to."""
    assert "the store knows no transcript of session 'nobody'" in refused(
        "label", "add", "nobody", AXIS, "20"
    )


@pytest.mark.usefixtures("suite")
def test_a_label_on_an_unknown_axis_is_refused() -> None:
    """With the axes that the session was judged on; nothing is kept."""
    report = json.loads(printed("score", ".", "--json"))["suites"][0]
    session = report["sessions"][0]["session_id"]
    said = refused("label", "add", session, "goal", "20")
    axes = ", ".join(report["axes"])
    assert f"{session!r} was judged on no axis 'goal'; there are {axes}" in said
    assert "no labels" in printed("label", "list")


@pytest.mark.usefixtures("suite")
def test_what_is_exported_can_be_imported() -> None:
    """Queues, random labels and others, into another store."""
    printed("label-queue", "report.json", "-n", "4", "--axis", AXIS, "--to", "form.jsonl")
    fill({row["session_id"]: 60 for row in form()[1]})
    printed("label", "import", "form.jsonl")
    printed("label", "add", form()[1][0]["session_id"], AXIS, "20")
    Path("out.jsonl").write_text(printed("label", "export"), "utf-8")
    printed("label", "import", "out.jsonl", "--store", "sqlite:///new/store.db")
    here = json.loads(printed("label", "list", "--json"))
    there = json.loads(printed("label", "list", "--json", "--store", "sqlite:///new/store.db"))
    assert here == there


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("report.json", "--axis", "tone"), "--axis: there is no axis 'tone'; there are"),
        (("report.json", "--again", "q-1"), "--again: there is no queue 'q-1'; there are none"),
        (("report.json", "--again", "q-1", "--diagnostic"), "--again: sessions and axes are those"),
        (("nowhere.json",), "'nowhere.json' is neither a file nor a run"),
        (("git:main",), "; accepted: a report.json, the id of a run"),
        ((".",), "there is no run of suite 'airline'"),
        (("report.json", "-n", "0"), "0 is not in the range x>=1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
@pytest.mark.usefixtures("suite")
def test_what_cannot_be_drawn_is_refused(arguments: tuple[str, ...], message: str) -> None:
    """With what there is, and no form is written."""
    assert message in refused("label-queue", *arguments)
    assert [] == [*Path().glob("labels-*")]


def test_a_suite_s_folder_means_its_latest_run(suite: Suite) -> None:
    """Whatever was run last there."""
    run_id = json.loads(Path("report.json").read_text("utf-8"))["run_id"]
    folder = suite.root / ".sessioneval" / "runs" / run_id
    folder.mkdir(parents=True)
    Path("report.json").rename(folder / "report.json")
    with_summary = judged(suite)
    store = open_sqlite(suite.root / ".sessioneval" / "store.db")
    store.finish_run(with_summary, state="done")
    store.close()
    assert "5 of 24 judged sessions" in printed("label-queue", ".", "-n", "5")
    assert "the folder holds suite 'airline', and --suite asks for 'x'" in refused(
        "label-queue", ".", "--suite", "x"
    )


def test_the_gate_s_axes_are_those_to_label(suite: Suite) -> None:
    """Also after a run that decided nothing because it wrote the baseline."""
    file = suite.root / "sessioneval.toml"
    file.write_text(f'{file.read_text("utf-8")}\n[gate]\naxes = ["efficiency"]\n', "utf-8")
    ran = judged(load_suite(suite.root))
    folder = suite.root / ".sessioneval" / "runs" / ran.run_id
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(render_json(build_report(ran)), "utf-8")
    store = open_sqlite(suite.root / ".sessioneval" / "store.db")
    store.finish_run(ran, state="done")
    store.close()
    printed("label-queue", ".", "-n", "5", "--to", "form.jsonl")
    assert ["efficiency"] == form()[0]["queue"]["axes"]


@pytest.mark.usefixtures("suite")
def test_a_run_is_held_against_random_labels() -> None:
    """People are 30 points below the judge everywhere; a calibration wants more of them."""
    printed("label-queue", "report.json", "-n", "12", "--axis", AXIS, "--to", "form.jsonl")
    places = {f"task-task-{n:02d}": 100 * outcome - 30 for n, outcome in enumerate(STEADY)}
    fill({row["session_id"]: places[row["session_id"]] for row in form()[1]})
    printed("label", "import", "form.jsonl")
    said = printed("label", "check", "report.json")
    assert f"{AXIS}: a calibration needs 38 more labels" in said
    (check,) = json.loads(printed("label", "check", "report.json", "--json"))
    assert (12, 90.0) == (check["labels"], check["raw_mean"])
    assert -30 == pytest.approx(check["people"] - check["judge"])
    assert 60 == pytest.approx(check["mean"])


@pytest.mark.usefixtures("suite")
def test_a_run_without_random_labels_is_refused() -> None:
    """A complaint is none."""
    session = json.loads(Path("report.json").read_text("utf-8"))["suites"][0]["sessions"][0]
    printed("label", "add", session["session_id"], AXIS, "20", "--complaint")
    assert "has a random label (labels of any source: 1)" in refused(
        "label", "check", "report.json"
    )
