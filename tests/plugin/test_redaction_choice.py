"""What is replaced before a judge sees a session: by default, when chosen, and when turned off."""

from __future__ import annotations

import json

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes, refusal

from pytest_sessioneval.testing import JudgeServer

TOKEN = "np" + "m_" + "Ab1" * 12
MAIL = "ann.lee@example.org"
CUSTOMER = "CU-12345678"
HOOK = r"""
def pytest_sessioneval_redaction_patterns():
    return {"customer-id": r"\bCU-[0-9]{8}\b"}
"""
OWN = "[[redact.patterns]]\nkind = 'customer-id'\npattern = '\\bCU-[0-9]{8}\\b'\n"


@pytest.fixture(autouse=True)
def _recorded(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a session that holds a secret, an address and a customer's number."""
    monkeypatch.setenv("COLUMNS", "500")
    sessions.suite(folder="recorded")
    said = good_messages("secrets")
    said[0]["content"] += f" {TOKEN} {MAIL} {CUSTOMER}"
    sessions.text("recorded/a.json", json.dumps({"messages": said}))


def sent(server: JudgeServer) -> set[str]:
    """Return which of the three the judge was sent."""
    asked = "".join(request.text for request in server.requests)
    assert asked
    return {word for word in (TOKEN, MAIL, CUSTOMER) if word in asked}


def kept(pytester: pytest.Pytester) -> bytes:
    """Return all that the run left behind: store and reports."""
    files = (pytester.path / ".sessioneval").rglob("*")
    return b"".join(path.read_bytes() for path in files if path.is_file())


def test_secrets_are_replaced_by_default(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """Counted in the report and on the terminal; nothing left behind holds them."""
    result = pytester.runpytest()

    assert {MAIL, CUSTOMER} == sent(judge_server)
    assert {"npm-token": 1} == runs.suite["redacted"]
    assert TOKEN.encode() not in kept(pytester)
    result.stdout.fnmatch_lines(
        ["*secrets replaced before anything left the process: 1 npm-token*"]
    )


def test_personal_data_is_replaced_where_chosen(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """On the command line."""
    pytester.runpytest("--sessioneval-redact", "secrets+pii")

    assert {CUSTOMER} == sent(judge_server)
    assert {"npm-token": 1, "email": 1} == runs.suite["redacted"]


def test_the_suite_file_may_ask_for_more(
    pytester: pytest.Pytester, judge_server: JudgeServer, sessions: Sessions
) -> None:
    """Personal data, and kinds of its own."""
    sessions.suite(f"[redact]\nwhat = 'secrets+pii'\n{OWN}", folder="recorded")
    pytester.runpytest()

    assert set() == sent(judge_server)


def test_an_ini_file_comes_before_the_suite_file(
    pytester: pytest.Pytester, judge_server: JudgeServer, sessions: Sessions
) -> None:
    """As for every other setting; the suite's own kinds stay."""
    sessions.suite(f"[redact]\nwhat = 'secrets+pii'\n{OWN}", folder="recorded")
    pytester.makeini("[pytest]\nsessioneval_redact = secrets\n")
    pytester.runpytest()

    assert {MAIL} == sent(judge_server)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_a_hook_names_further_kinds(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs, workers: tuple[str, ...]
) -> None:
    """With and without workers."""
    pytester.makeconftest(HOOK)
    pytester.runpytest(*workers)

    assert {MAIL} == sent(judge_server)
    assert {"customer-id": 1, "npm-token": 1} == runs.suite["redacted"]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{'customer-id': '('}", ": pattern of 'customer-id'"),
        ("{'Customer': 'x'}", ": kind of 'Customer'"),
        ("['x']", " returned list; accepted: a dictionary"),
    ],
)
def test_what_a_hook_returns_and_cannot_be_used_is_refused(
    pytester: pytest.Pytester, returned: str, said: str
) -> None:
    """In one line, before anything is judged."""
    hook = "pytest_sessioneval_redaction_patterns"
    pytester.makeconftest(f"def {hook}():\n    return {returned}\n")

    assert f"{hook}{said}" in refusal(pytester.runpytest())


def test_other_patterns_are_another_question(
    pytester: pytest.Pytester, judge_server: JudgeServer
) -> None:
    """A verdict on another text is not taken from the store; the same one is."""
    pytester.runpytest()
    first = judge_server.calls
    pytester.runpytest()
    again = judge_server.calls
    pytester.makeconftest(HOOK)
    pytester.runpytest()

    assert [first, first, 2 * first] == [first, again, judge_server.calls]


def test_off_leaves_secrets_and_says_so(
    pytester: pytest.Pytester, judge_server: JudgeServer, runs: Runs
) -> None:
    """Before the first call, and in the report."""
    pytester.makeconftest(HOOK)
    result = pytester.runpytest("--sessioneval-redact=off")

    assert {TOKEN, MAIL, CUSTOMER} == sent(judge_server)
    result.stdout.fnmatch_lines(
        ["*--sessioneval-redact off: sessions go to openai:loopback as they are, secrets included*"]
    )
    assert {} == runs.suite["redacted"]
    assert "nothing was replaced in these sessions" in " ".join(runs.suite["notes"])


@pytest.mark.parametrize("where", ["ini", "addopts"])
def test_off_has_to_be_typed(
    pytester: pytest.Pytester, judge_server: JudgeServer, where: str
) -> None:
    """A file under test cannot have its secrets sent."""
    line = "sessioneval_redact = off" if where == "ini" else "addopts = --sessioneval-redact=off"
    pytester.makeini(f"[pytest]\n{line}\n")

    assert "on the command line itself" in refusal(pytester.runpytest())
    assert 0 == judge_server.calls


def test_the_suite_file_cannot_turn_it_off(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """It is told what it may say."""
    sessions.suite("[redact]\nwhat = 'off'\n", folder="recorded")

    assert 'accepted: "secrets" or "secrets+pii"' in refusal(pytester.runpytest())


def test_profiles_and_comments_are_redacted_too(
    pytester: pytest.Pytester, judge_server: JudgeServer, sessions: Sessions
) -> None:
    """Whatever a judge is shown beside the session."""
    sessions.text("recorded/profile.md", f"You are kind. {TOKEN}")
    thumb = {"session_id": "a", "message_index": 0, "rating": 1, "comment": f"nice {TOKEN}"}
    sessions.text("recorded/thumbs.jsonl", json.dumps(thumb) + "\n")
    sessions.suite(
        "[suite]\nfeedback = ['thumbs.jsonl']\n[profiles]\ndefault = 'profile.md'\n",
        folder="recorded",
    )
    result = pytester.runpytest()

    assert {"passed": 1} == outcomes(result)
    assert {MAIL, CUSTOMER} == sent(judge_server)
    assert "You are kind." in judge_server.requests[0].text
