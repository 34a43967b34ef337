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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from evidence_cases import real_sessions
from small_model_server import INSTALL, MODEL, missing, served

from pytest_sessioneval.judging.prompts import reply_schema
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
OPENING = re.compile(r'\{\s*"nonce"\s*:\s*"(\{\{NONCE\}\}|[0-9a-f]{32})"')


@dataclass(frozen=True)
class Judged:
    """A run in which the model was asked."""

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


def judged(
    pytester: pytest.Pytester, url: str, sessions: list[Transcript], *, tokens: int
) -> Judged:
    """Return how pytest ends on the sessions, judged by the model."""
    folder = pytester.mkdir("suite")
    (folder / "rubric.toml").write_text(RUBRIC, "utf-8")
    (folder / "sessioneval.toml").write_text(SUITE.format(model=MODEL, tokens=tokens), "utf-8")
    for number, one in enumerate(sessions):
        (folder / f"{number}.jsonl").write_text("\n".join(to_lines(one)), "utf-8")
    record = pytester.path / "replies.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", f"{url}/v1")
        patch.setenv("SESSIONEVAL_RECORD", str(record))
        done = pytester.runpytest_subprocess(
            *("suite", "-p", "no:cacheprovider", "-W", "error"),
            *("--sessioneval-concurrency=1", "--sessioneval-timeout=300", "--sessioneval-out=out"),
        )
    (report,) = (pytester.path / "out" / "runs").glob("*/report.json")
    return Judged(
        status=int(done.ret),
        said=done.stdout.str() + done.stderr.str(),
        suite=json.loads(report.read_text("utf-8"))["suites"][0],
        replies=[json.loads(line) for line in record.read_text("utf-8").splitlines()],
    )


def test_real_sessions_are_judged_with_constrained_output(
    pytester: pytest.Pytester, address: str, chosen: list[Transcript]
) -> None:
    """Every reply keeps to the schema, every session is accounted for, no score is unproven."""
    run = judged(pytester, address, chosen, tokens=220)
    suite = load_suite(pytester.path / "suite")
    schema = reply_schema(suite.rubric.axes, suite.rubric)
    for reply in run.replies:
        assert MODEL == reply["model"]
        assert OPENING.match(reply["reply"]), "an unconstrained model begins otherwise"
        if not reply.get("truncated"):
            value = json.loads(reply["reply"].replace("{{NONCE}}", NONCE))
            jsonschema.validate(value, schema)
    assert len(chosen) == len(run.opinions)
    assert len(run.replies) == run.suite["spent"]["calls"]
    assert len(chosen) <= run.suite["spent"]["calls"] <= 2 * len(chosen)
    assert run.suite["spent"]["input_tokens"] > 500 * len(run.replies)
    answered = [one for one in run.opinions if one["axes"]["helpfulness"].get("reason") != "failed"]
    assert {"json_schema"} >= {one["sent"]["reply_format"] for one in answered}
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


def test_a_reply_that_is_cut_off_is_repaired_once_and_then_not_scored(
    pytester: pytest.Pytester, address: str, chosen: list[Transcript]
) -> None:
    """Twelve tokens hold no verdict: asked twice, and the item fails as not scored."""
    run = judged(pytester, address, chosen[:1], tokens=12)
    assert [True, True] == [reply.get("truncated") for reply in run.replies]
    (one,) = run.opinions
    assert "failed" == one["axes"]["helpfulness"]["reason"]
    assert "the reply was cut at the longest length asked for" in run.said
    assert (1, 2) == (run.status, run.suite["spent"]["calls"])
