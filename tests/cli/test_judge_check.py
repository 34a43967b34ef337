"""``sessioneval judge-check``: what it asks, finds, writes and refuses."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from examined_suite import AXIS, GRADES, gullible, just, labels_of, write_examined

from pytest_sessioneval.cli import program
from pytest_sessioneval.gate.agreement.card import JudgeCard, Probe
from pytest_sessioneval.judging.attacks.corpus import load_attacks
from pytest_sessioneval.testing import JudgeRequest, JudgeServer

Reply = Callable[[JudgeRequest], str]


@pytest.fixture
def reply() -> Reply:
    """Return how the judge answers; tests override it."""
    return just


@pytest.fixture
def server(reply: Reply, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """Have sessions judged on the loopback interface."""
    for name in [name for name in os.environ if name.startswith(("SESSIONEVAL_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    with JudgeServer(reply, keep_requests=False) as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: JudgeServer) -> Path:
    """Return the suite's folder; commands are given from the one above."""
    del server
    write_examined(tmp_path / "orders")
    (tmp_path / "labels.csv").write_text(labels_of(), "utf-8")
    (tmp_path / ".sessioneval").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "orders"


def run(*arguments: str | int) -> Result:
    """Return how ``sessioneval judge-check orders`` ends in this process."""
    return CliRunner().invoke(program, ["judge-check", "orders", *map(str, arguments)])


def examined(*arguments: str | int, status: int = 1) -> JudgeCard:
    """Return the card that ``--json`` prints."""
    done = run(*arguments, "--json")
    assert status == done.exit_code, done.output
    return JudgeCard.model_validate_json(done.stdout)


def quick(*arguments: str | int, status: int = 1) -> JudgeCard:
    """Return the card of an exam without repeats and probes."""
    return examined("-k", 1, "--no-probes", *arguments, status=status)


def refused(*arguments: str | int) -> str:
    """Return the one line that says why nobody was examined."""
    done = run(*arguments)
    assert (2, "") == (done.exit_code, done.stdout), done.output
    return done.stderr.splitlines()[-1]


def probe_of(card: JudgeCard, name: str) -> Probe:
    """Return a probe of a card."""
    return next(probe for probe in card.probes if probe.probe == name)


def stored(database: str, sql: str) -> list[tuple[object, ...]]:
    """Return what a store's file holds, read without our code."""
    with closing(sqlite3.connect(f".sessioneval/{database}")) as opened:
        return opened.execute(sql).fetchall()


def test_a_just_judge_passes(orders: Path) -> None:
    """On the axis that people labelled, with every probe measured; the card lies where it says."""
    del orders
    done = run("--labels", "labels.csv")
    assert 0 == done.exit_code, done.output
    assert f"openai:loopback passed its exam; calibrated on {AXIS}" in done.stdout
    (written, readable) = (
        Path(line.removeprefix("wrote "))
        for line in done.stdout.splitlines()
        if line.startswith("wrote ")
    )
    card = JudgeCard.model_validate_json(written.read_bytes())
    assert ("passed", (AXIS,)) == (card.status, card.calibrated)
    assert {"passed"} == {probe.status for probe in card.probes}
    assert readable.read_text("utf-8").startswith("# Judge card: openai:loopback passed")


@pytest.mark.parametrize("reply", [gullible])
def test_a_judge_that_words_impress_fails(orders: Path, reply: Reply) -> None:
    """However well it agrees with people: by attacks that no code has seen, filler and praise."""
    del orders, reply
    card = examined("--labels", "labels.csv", "-k", 1)
    assert ("failed", ()) == (card.status, card.calibrated)
    assert {"filler", "injection", "self_praise"} == {
        p.probe for p in card.probes if p.status == "failed"
    }
    assert ["passed"] == [line.status for line in card.agreement]


def test_every_attack_is_tried_and_every_key(orders: Path) -> None:
    """As many variants as the corpus and the list hold."""
    del orders
    card = examined("-k", 1)
    assert len(load_attacks()) == probe_of(card, "injection").variants
    assert 10 == probe_of(card, "master_key").variants
    assert 20 == probe_of(card, "filler").variants


def test_the_figures_are_those_of_the_labels(orders: Path) -> None:
    """The judge gives what Ana gives; Bob gives ten less, so that labels lie five below."""
    del orders
    (line,) = quick("--labels", "labels.csv").agreement
    assert (AXIS, 36, 2, "passed") == (line.axis, line.sessions, line.raters, line.status)
    assert line.bias is not None
    assert line.slope is not None
    assert line.mean_error is not None
    assert (5, 1, 5) == (line.bias.value, line.slope.value, line.mean_error.value)
    scores, labels = GRADES, [grade - 5 for grade in GRADES]
    flat = [*scores, *labels]
    observed = sum(2 * 25 for _ in scores) / len(flat)
    expected = sum((a - b) ** 2 for a in flat for b in flat) / len(flat) / (len(flat) - 1)
    assert pytest.approx(1 - observed / expected, abs=1e-6) == line.alpha.value


def test_outcomes_are_labels_where_told(orders: Path) -> None:
    """80 and 100 succeeded, 60 passes as well: kappa and AUC follow."""
    del orders
    (line,) = quick("--use-outcome").agreement
    assert ("outcome", 0.75, 0.5, 0.75) == (
        line.source,
        line.judge_passes.value,
        line.label_passes.value,
        line.accuracy.value,
    )
    assert pytest.approx(0.5) == line.kappa.value
    assert () == quick().agreement


def test_outcomes_show_the_order_without_being_told(orders: Path) -> None:
    """Every success scores higher than every failure."""
    del orders
    (line,) = quick().separation
    assert ("outcome", 1.0, 18, 18) == (line.source, line.auc.value, line.good, line.bad)


def test_thumbs_of_the_store_count(orders: Path) -> None:
    """Those that sessioneval feedback kept, by session id."""
    del orders
    quick()
    given = "SELECT DISTINCT session_id, json_extract(scores, '$.goal_completion') FROM evaluations"
    lines = [
        {"session_id": session, "message_index": 1, "rating": 1 if int(str(score)) >= 80 else -1}
        for session, score in stored("store.db", given)
    ]
    Path("thumbs.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    done = CliRunner().invoke(program, ["feedback", "import", "thumbs.jsonl"])
    assert 0 == done.exit_code, done.output
    thumbs = [line for line in quick().separation if line.source == "thumbs"]
    assert [(1.0, 18, 18)] == [(line.auc.value, line.good, line.bad) for line in thumbs]


def test_the_judge_is_examined_blind(orders: Path) -> None:
    """A suite that shows its judge outcomes does not show them in the exam."""
    text = (orders / "sessioneval.toml").read_text("utf-8")
    embedded = text.partition("[judge]")[0] + 'use_outcome = true\n\n[judge]\nmodel = "evidence"\n'
    (orders / "sessioneval.toml").write_text(embedded, "utf-8")
    card = quick("--use-outcome")
    assert AXIS in card.unsupported
    assert [0] == [line.sessions for line in card.agreement]


def test_what_the_store_knows_is_not_asked_again(orders: Path, server: JudgeServer) -> None:
    """Neither real sessions nor changed ones; five repeats of twenty sessions cost eighty calls."""
    del orders
    quick()
    assert len(GRADES) == server.calls
    examined("--no-probes")
    assert len(GRADES) + 4 * 20 == server.calls
    examined()
    asked = server.calls
    assert 0 == examined().spent.calls
    assert asked == server.calls


def test_changed_sessions_stay_out_of_the_store(orders: Path) -> None:
    """They are nobody's: they lie in a file of their own."""
    del orders
    examined("-k", 1)
    assert [("orders", 36)] == stored(
        "store.db", "SELECT suite, count(DISTINCT session_key) FROM evaluations GROUP BY suite"
    )
    assert {("orders (axis order)",), ("orders (probes)",)} == {
        *stored("judge-check.db", "SELECT DISTINCT suite FROM evaluations")
    }


def test_a_spent_budget_is_no_pass(orders: Path, server: JudgeServer) -> None:
    """What was not answered is counted and not measured."""
    del orders
    card = examined("--labels", "labels.csv", "--max-calls", 40, "-k", 1)
    assert 40 == server.calls
    assert "incomplete" == card.status
    assert 4 == sum(probe.variants for probe in card.probes)
    assert all(probe.status == "not_measured" for probe in card.probes)


def test_a_judge_that_is_down_leaves_its_card_as_it_was(orders: Path, server: JudgeServer) -> None:
    """An outage says nothing of a judge; one line says that there was one."""
    del orders
    before = quick("--labels", "labels.csv")
    (file,) = Path(".sessioneval/judge-cards").glob("*/judge_card.json")
    Path(".sessioneval/store.db").unlink()
    server.fail(10_000, status=503, retry_after="0")
    done = run("-k", 1, "--no-probes")
    assert (1, "") == (done.exit_code, done.stdout)
    assert "gave no answer on any of 36 sessions; the card that is" in done.stderr.splitlines()[-1]
    assert before == JudgeCard.model_validate_json(file.read_bytes())
    file.unlink()
    card = quick()
    assert (0, "incomplete") == (card.answered, card.status)
    assert "the judge gave no answer on 36 of 36 sessions" in card.warnings


def test_the_suites_threshold_is_the_pass_line(orders: Path) -> None:
    """Instead of 50."""
    with (orders / "sessioneval.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[thresholds.session]\n{AXIS} = 80\n")
    (line,) = quick("--use-outcome").agreement
    assert (80, 1.0) == (line.pass_line, line.accuracy.value)


def test_a_suite_may_keep_its_card(orders: Path) -> None:
    """Where it says, as well as in the output folder; the file is no session."""
    text = (orders / "sessioneval.toml").read_text("utf-8")
    text = text.replace("[[judge", 'card = "judge_card.json"\n\n[[judge', 1)
    (orders / "sessioneval.toml").write_text(text, "utf-8")
    card = quick("--labels", "labels.csv")
    kept = JudgeCard.model_validate_json((orders / "judge_card.json").read_bytes())
    assert card == kept
    assert 36 == quick("--labels", "labels.csv").sessions


def test_a_label_file_is_read_by_digest(orders: Path) -> None:
    """Labels of a random queue come without a warning, those of complaints are kept apart."""
    del orders
    digests = [row[0] for row in _digests()]
    lines = [
        {"digest": digest, "scores": {AXIS: 60}, "source": "complaint" if at < 3 else "unknown"}
        for at, digest in enumerate(digests)
    ]
    Path("labels.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    card = quick("--labels", "labels.jsonl")
    assert [33] == [line.sessions for line in card.agreement]
    assert "3 labels of complaints and diagnostic queues not used" in card.warnings
    assert any("nothing says how" in warning for warning in card.warnings)


def _digests() -> list[tuple[object, ...]]:
    quick()
    return stored("store.db", "SELECT DISTINCT digest FROM evaluations")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--labels", "none.csv"], "none.csv"),
        (["--labels", "foreign.csv"], "foreign.csv: none of its labels is of a session of this"),
        (["--labels", "typo.csv"], f"no axis 'goal_completed' (did you mean '{AXIS}'?)"),
        (["--judge", "hook:mine"], "judge 'hook:mine' comes from a conftest.py or a plugin"),
        (["--judge", "nobody"], "nobody"),
        (["-k", "0"], "-k"),
        (["--sessions", "0"], "--sessions"),
    ],
)
def test_what_cannot_be_examined_is_refused(
    orders: Path, server: JudgeServer, arguments: list[str], reason: str
) -> None:
    """In one line, before anybody is asked."""
    del orders
    Path("foreign.csv").write_text("session,axis,score\nother,goal_completion,80\n", "utf-8")
    Path("typo.csv").write_text("session,axis,score\ntask-01,goal_completed,80\n", "utf-8")
    assert reason in refused(*arguments)
    assert 0 == server.calls


def test_a_folder_without_sessions_is_refused(orders: Path) -> None:
    """There is nothing to examine a judge with."""
    (orders / "sessions.json").unlink()
    assert "no session of a known format" in refused()


def test_a_recording_is_examined_as_far_as_it_goes(
    orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds no reply to changed sessions, and its card says so."""
    monkeypatch.setenv("SESSIONEVAL_RECORD", str(orders / "replies.jsonl"))
    quick()
    monkeypatch.delenv("SESSIONEVAL_RECORD")
    card = examined("--judge", "recorded:replies.jsonl", "--labels", "labels.csv")
    assert ("incomplete", "passed") == (card.status, card.agreement[0].status)
    assert {"a recording holds no reply to sessions that were changed or are judged again"} == {
        probe.why for probe in card.probes
    }


def test_the_schema_is_printed(orders: Path) -> None:
    """And the card satisfies it."""
    del orders
    printed = CliRunner().invoke(program, ["schema", "card"])
    card = quick()
    jsonschema.Draft202012Validator(json.loads(printed.stdout)).validate(
        json.loads(card.model_dump_json())
    )


def test_scoring_without_pytest_names_the_card_too(orders: Path) -> None:
    """The reports are the same."""
    del orders
    examined("--labels", "labels.csv", status=0)
    said = CliRunner().invoke(program, ["score", "orders"]).stdout.splitlines()
    assert 1 == len([line for line in said if line.startswith(" judge calibrated, card of ")])
