"""A real language model judges real sessions, through a real server, end to end.

SmolLM2-135M cannot judge: docs/judges.md has its figures. What it can do is
what a scripted judge never does by itself: copy the example instead of the
session, run on until it is cut off, invent quotes. Nothing here asserts what it
answers; everything asserts what becomes of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from evidence_cases import real_sessions
from small_model_server import INSTALL, MODEL, missing, served

from pytest_sessioneval.judging.reply_schemas import reply_schema
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.transcripts.formats.sessioneval import to_lines
from pytest_sessioneval.transcripts.model import Transcript

RUBRIC = """
name = "small"
version = 1

[[axes]]
name = "helpfulness"
question = "Did the agent do what the user asked?"
failure_tags = ["not_done"]
levels = [
  { score = 0, anchor = "Nothing was done." },
  { score = 20, anchor = "Hardly anything was done." },
  { score = 40, anchor = "Less than half was done." },
  { score = 60, anchor = "More than half was done." },
  { score = 80, anchor = "Nearly all was done." },
  { score = 100, anchor = "All was done." },
]
"""
"""One axis that always applies, in few words: the model reads 30 to 150 of them a second."""
SUITE = """
[suite]
rubric = "rubric.toml"

[judge]
model = "openai:{model}"
temperature = 0
max_output_tokens = {tokens}
context_tokens = 8000
"""
NONCE = "0" * 32
EXAMPLE = Path(__file__).resolve().parents[2] / "example_suites" / "regression"
SCRIPTS = Path(sysconfig.get_path("scripts"))
OURS = ("SESSIONEVAL_", "OPENAI_", "GITHUB_", "PYTEST_")
OPENING = re.compile(r'\{\s*"nonce"\s*:\s*"(\{\{NONCE\}\}|[0-9a-f]{32})"')


@dataclass(frozen=True)
class Judged:
    """A run in which the model was asked."""

    folder: Path
    status: int
    said: str
    suite: dict[str, Any]
    """The suite's part of report.json."""
    replies: list[dict[str, Any]]
    """Every reply as it came, with how it was recorded."""

    @property
    def opinions(self) -> list[dict[str, Any]]:
        """Return the model's opinions."""
        return [one for each in self.suite["sessions"] for one in each["verdict"]["opinions"]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return where the model is served; skip without it, fail where it is required."""
    lacking = missing()
    if lacking:
        reason = f"no small model to serve: {' and '.join(lacking)} missing ({INSTALL})"
        if os.environ.get("SESSIONEVAL_REQUIRE_MODEL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with served(tmp_path_factory.mktemp("model") / "log.txt") as url:
        yield url


@pytest.fixture(scope="module")
def chosen(shared_data: Path) -> list[Transcript]:
    """Return the two shortest real sessions in which an agent calls a tool and answers."""
    found = [
        (len(text), one.session_id, one)
        for one in real_sessions(shared_data, "claude-code")
        if "[trimmed" not in (text := one.model_dump_json(include={"messages"}))
        and {"user", "assistant", "tool"} == {message.role for message in one.messages}
    ]
    return [one for *_, one in sorted(found, key=lambda item: item[:2])[:2]]


def run_in(folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Return how one of our commands ends, in a process of its own."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        cwd=folder,
        env=known | {"COLUMNS": "100"} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def judged(folder: Path, url: str, sessions: list[Transcript], *, tokens: int) -> Judged:
    """Return how pytest ends on the sessions in ``folder/suite``, judged by the model."""
    suite = folder / "suite"
    suite.mkdir()
    (suite / "rubric.toml").write_text(RUBRIC, "utf-8")
    (suite / "sessioneval.toml").write_text(SUITE.format(model=MODEL, tokens=tokens), "utf-8")
    for number, one in enumerate(sessions):
        (suite / f"{number}.jsonl").write_text("\n".join(to_lines(one)), "utf-8")
    record = folder / "replies.jsonl"
    done = run_in(
        folder,
        *("pytest", "suite", "-W", "error", "-p", "no:cacheprovider", "--sessioneval-out=out"),
        *("--sessioneval-concurrency=1", "--sessioneval-timeout=300"),
        OPENAI_BASE_URL=f"{url}/v1",
        SESSIONEVAL_RECORD=str(record),
    )
    (report,) = (folder / "out" / "runs").glob("*/report.json")
    return Judged(
        folder=folder,
        status=done.returncode,
        said=done.stdout + done.stderr,
        suite=json.loads(report.read_text("utf-8"))["suites"][0],
        replies=[json.loads(line) for line in record.read_text("utf-8").splitlines()],
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, address: str, chosen: list[Transcript]) -> Judged:
    """Return a run on two real sessions."""
    return judged(tmp_path_factory.mktemp("run"), address, chosen, tokens=220)


def test_replies_keep_to_the_schema(run: Judged) -> None:
    """What was not cut off is of the form asked for, and all of it begins like it."""
    suite = load_suite(run.folder / "suite")
    schema = reply_schema(suite.rubric.axes, suite.rubric)
    for reply in run.replies:
        assert MODEL == reply["model"]
        assert OPENING.match(reply["reply"]), "an unconstrained model begins otherwise"
        if not reply.get("truncated"):
            jsonschema.validate(json.loads(reply["reply"].replace("{{NONCE}}", NONCE)), schema)


def test_calls_and_tokens_are_counted(run: Judged) -> None:
    """One call a session, and one repair at most; the server says how much was read."""
    spent = run.suite["spent"]
    assert len(run.replies) == spent["calls"]
    asked = len(run.opinions)
    assert asked <= spent["calls"] <= 2 * asked
    assert spent["calls"] - asked == spent["repairs"]
    assert spent["input_tokens"] > 500 * spent["calls"]
    assert 0 < spent["output_tokens"] <= 220 * spent["calls"]


def test_no_score_is_unproven_and_every_session_is_accounted_for(run: Judged) -> None:
    """A level with a quote that checks out, or the reason why there is none."""
    assert len(run.suite["sessions"]) == len(run.opinions) > 0
    for one in run.opinions:
        axis = one["axes"]["helpfulness"]
        if axis["kind"] == "scored":
            assert axis["score"] in (0, 20, 40, 60, 80, 100)
            assert any(evidence["verified"] for evidence in axis["evidence"])
        else:
            assert axis["reason"] in ("unverified", "failed", "tampered")
            assert axis["detail"]
    failed = [one for one in run.opinions if one["axes"]["helpfulness"].get("reason") == "failed"]
    assert (1 if failed else 0) == run.status
    assert "internal error" not in run.said.lower()


def test_reports_call_the_judge_uncalibrated_and_its_card_agrees(run: Judged) -> None:
    """Without labels nothing speaks for it; its replies are examined as they were recorded."""
    assert "judge uncalibrated: no judge card" in run.said
    shutil.copy(run.folder / "replies.jsonl", run.folder / "suite")
    done = run_in(
        run.folder,
        *("sessioneval", "judge-check", "suite", "--judge", "recorded:replies.jsonl"),
        *("--no-probes", "-k", "1", "--json", "--out", "out"),
    )
    assert 1 == done.returncode, done.stderr
    card = json.loads(done.stdout)
    assert ("incomplete", []) == (card["status"], card["calibrated"])
    assert run.suite["judge"]["version"] == card["judge_version"]


def test_a_reply_that_is_cut_off_is_repaired_once_and_then_not_scored(
    tmp_path: Path, address: str, chosen: list[Transcript]
) -> None:
    """Twelve tokens hold no verdict: asked twice, and the item fails as not scored."""
    run = judged(tmp_path, address, chosen[:1], tokens=12)
    assert [True, True] == [reply.get("truncated") for reply in run.replies]
    (one,) = run.opinions
    assert "failed" == one["axes"]["helpfulness"]["reason"]
    assert "the reply was cut at the longest length asked for" in run.said
    assert (1, 2) == (run.status, run.suite["spent"]["calls"])


def test_it_advises_or_is_rejected_with_a_reason(address: str, tmp_path: Path) -> None:
    """Asked about clusters, it answers in the form asked for, whatever that is worth."""
    shutil.copytree(EXAMPLE, tmp_path / EXAMPLE.name)
    environ = {"OPENAI_BASE_URL": f"{address}/v1"}
    scored = run_in(tmp_path, "sessioneval", "score", EXAMPLE.name)
    assert 1 == scored.returncode, scored.stderr
    model = f"openai:{MODEL}"
    done = run_in(tmp_path, "sessioneval", "advise", EXAMPLE.name, "--model", model, **environ)
    assert 0 == done.returncode, done.stderr
    counts = re.search(
        r"asked about (\d+) clusters, once each: (\d+) suggestions?, (\d+) rejected .*, (\d+) with",
        done.stdout,
    )
    assert counts is not None, done.stdout
    asked, suggested, rejected, unanswered = map(int, counts.groups())
    assert 2 <= asked == suggested + rejected + unanswered
    assert suggested == done.stdout.count("**A model's guess**")
