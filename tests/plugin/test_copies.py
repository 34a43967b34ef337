"""Copies and growing prefixes of a session count once; a session that changes is not judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes

_CHANGING = """
from pathlib import Path

def pytest_collection_finish():
    path = Path("recorded/b.json")
    path.write_text({content!r})
"""


def test_a_copy_is_collected_once(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """The same session in two files is judged and averaged once; the copy is listed."""
    original = sessions.good("recorded/a.json")
    (original.parent / "b.json").write_bytes(original.read_bytes())
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1} == outcomes(result)
    assert [["b.json", "a.json"]] == runs.suite["sources"]["duplicates"]
    result.stdout.fnmatch_lines(["*1 left out as copies*"])


def test_a_growing_session_counts_once_at_its_longest(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs
) -> None:
    """Snapshots of one session, taken as it grew, are one session: the last."""
    said = good_messages("pens")
    for count in (1, 3, 4):
        content = json.dumps({"id": "s-1", "messages": said[:count]})
        sessions.text(f"recorded/{count}.json", content)
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1} == outcomes(result)
    assert ["4.json"] == [session["path"] for session in runs.suite["sessions"]]
    assert 2 == len(runs.suite["sources"]["duplicates"])


def test_alike_is_not_the_same(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """Sessions that begin alike and go on differently are two."""
    said = good_messages("pens")
    other = [*said[:3], {"role": "assistant", "content": "It is lost."}]
    sessions.text("recorded/a.json", json.dumps({"messages": said}))
    sessions.text("recorded/b.json", json.dumps({"messages": other}))
    assert {"passed": 2} == outcomes(pytester.runpytest("--sessioneval", "recorded"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (json.dumps({"messages": good_messages("something else")}), "the session changed while"),
        ('{"messages": [', "the text ends too early"),
    ],
    ids=["changed", "broken"],
)
def test_a_session_that_changes_under_way_is_not_scored(
    pytester: pytest.Pytester, sessions: Sessions, runs: Runs, content: str, reason: str
) -> None:
    """What was collected is what is judged: else the session fails and says why."""
    sessions.good("recorded/a.json", "recorded/b.json")
    pytester.makeconftest(_CHANGING.format(content=content))
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*not scored: *", f"*{reason}*"])
    assert 1 == runs.mean("tool_usage_quality")["scored"]


def test_a_session_that_vanishes_under_way_is_not_scored(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A file that was there at collection and is gone fails its session only."""
    sessions.good("recorded/a.json", "recorded/b.json")
    pytester.makeconftest(
        "from pathlib import Path\ndef pytest_collection_finish():\n"
        "    Path('recorded/b.json').unlink()\n"
    )
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"passed": 1, "failed": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*there is no such file*"])


def test_a_rewritten_file_of_the_same_session_is_fine(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """Only what the session says counts, not how its file is laid out."""
    path = sessions.good("recorded/b.json")
    content = json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=2)
    pytester.makeconftest(_CHANGING.format(content=content))
    assert {"passed": 1} == outcomes(pytester.runpytest("--sessioneval", "recorded"))
    assert content == Path("recorded/b.json").read_text(encoding="utf-8")
