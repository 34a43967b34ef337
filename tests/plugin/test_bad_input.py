"""Files that cannot be read: an error of one line, or counted lines; the rest goes on."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from plugin_runs import Runs, Sessions, good_messages, outcomes

from pytest_sessioneval.transcripts.reader import Limits

_SOUND = json.dumps({"messages": good_messages("something sound")})
_LINES = "".join(json.dumps({"messages": good_messages(f"line {n}")}) + "\n" for n in range(3))
_DEEP = '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}"


@pytest.fixture
def recorded(sessions: Sessions) -> Sessions:
    """Return a suite with one sound session."""
    sessions.suite(folder="recorded")
    sessions.good("recorded/sound.json")
    return sessions


def _error(result: pytest.RunResult) -> str:
    """Return the one line of the one error, the sound session having passed."""
    assert {"passed": 1, "errors": 1} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    start = next(n for n, line in enumerate(result.outlines) if "ERROR at setup of" in line)
    line, following = result.outlines[start + 1 : start + 3]
    assert following.startswith("===")
    return line


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "recorded/bad.json: the file is empty"),
        (b" \n\t\n", "recorded/bad.json: the file is empty"),
        (_SOUND[:-20].encode(), "recorded/bad.json:1: "),
        (b'{"messages": [\n  {"role": "user",\n', "recorded/bad.json:3: the text ends too early"),
        (_SOUND.replace("sound", "\x00").encode(), "recorded/bad.json:1: "),
        (_SOUND.encode().replace(b"sound", b"\xff"), "(0xff) is no UTF-8"),
        (_SOUND.encode("utf-16"), "recorded/bad.json:1: the text is UTF-16; save the file as UTF"),
        (_DEEP.encode(), "recorded/bad.json:1: nested deeper than 64 levels"),
        (b'{"messages": [], "messages": []}', 'recorded/bad.json:1: duplicate key "messages"'),
        (_SOUND.replace("{", '{"cost": NaN, ', 1).encode(), "recorded/bad.json:1: NaN is no JSON"),
        (_SOUND.replace("{", '{"cost": 1e999, ', 1).encode(), "recorded/bad.json:1: the number"),
        (b'"just a text"', "recorded/bad.json:1: the file holds str"),
        (b'{"messages": [{"role": "user", "content": "hi"}', "recorded/bad.json:1: "),
        (bytes(range(256)) * 10, "recorded/bad.json:"),
    ],
    ids=[
        "empty",
        "blank",
        "truncated",
        "truncated-lines",
        "nul",
        "utf-8",
        "utf-16",
        "deep",
        "duplicate-key",
        "nan",
        "infinite",
        "scalar",
        "unclosed",
        "binary",
    ],
)
def test_a_broken_file_is_an_error_of_one_line(
    pytester: pytest.Pytester, recorded: Sessions, content: bytes, reason: str
) -> None:
    """The line names file, place and reason; the sound session beside it is judged."""
    recorded.text("recorded/bad.json", content)
    assert reason in _error(pytester.runpytest())


def _folder(path: Path) -> None:
    path.mkdir()


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere.json")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _outside(path: Path) -> None:
    target = path.parent.parent / "outside.json"
    target.write_text(_SOUND, encoding="utf-8")
    path.symlink_to(target)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_folder, "is a folder, not a file"),
        (_dangling, "is a link to nothing"),
        (_loop, "link"),
        (_pipe, "is no regular file"),
        (_socket, "is no regular file"),
        (_outside, "is a link to a file outside of the suite's folder"),
    ],
    ids=["folder", "dangling", "loop", "pipe", "socket", "outside"],
)
def test_what_is_no_file_is_an_error_of_one_line(
    pytester: pytest.Pytester, recorded: Sessions, make: Callable[[Path], None], reason: str
) -> None:
    """A name that promises a session and is none is told, never waited for, never skipped."""
    make(recorded.root / "recorded" / "bad.json")
    line = _error(pytester.runpytest())
    assert line.startswith("recorded/bad.json: ")
    assert reason in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_an_error(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """Permission denied is told as such."""
    recorded.good("recorded/bad.json").chmod(0)
    assert "recorded/bad.json: " in _error(pytester.runpytest())


def test_a_pipe_under_any_name_is_never_waited_for(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """A pipe that promises nothing is passed by."""
    _pipe(recorded.root / "recorded" / "pipe")
    _loop(recorded.root / "recorded" / "loop")
    assert {"passed": 1} == outcomes(pytester.runpytest())


def test_a_named_pipe_is_an_error(pytester: pytest.Pytester, recorded: Sessions) -> None:
    """A pipe named on the command line is told, not read."""
    _pipe(recorded.root / "recorded" / "bad.json")
    assert {"errors": 1} == outcomes(pytester.runpytest("recorded/bad.json"))


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_a_line_over_the_limit_is_an_error(
    pytester: pytest.Pytester, recorded: Sessions, suffix: str
) -> None:
    """A line longer than 64 MiB is refused by its length, without being parsed."""
    with (recorded.root / "recorded" / f"bad.{suffix}").open("wb") as file:
        file.write(b'{"messages": "')
        file.truncate(70 * 1024 * 1024)
    line = _error(pytester.runpytest())
    assert "the line is longer than the limit of 67,108,864 bytes per line" in line


def test_a_file_over_the_limit_is_an_error(pytester: pytest.Pytester, recorded: Sessions) -> None:
    """A file larger than 256 MiB is refused by its size, without being read."""
    with (recorded.root / "recorded" / "bad.jsonl").open("wb") as file:
        file.write(b'{"messages": []}\n')
        file.truncate(Limits().file_bytes + 1)
    line = _error(pytester.runpytest())
    assert "268,435,457 bytes are more than the limit of 268,435,456 bytes per file" in line


@pytest.mark.parametrize(
    ("content", "skipped"),
    [
        (_LINES + '{"messages": [{"ro', 1),
        (_LINES + "not json\n", 1),
        (_LINES.encode() + b'{"messages": "\xff"}\n', 1),
        (_LINES + '{"messages": [], "messages": []}\n' + "17\n", 2),
        (_LINES + "\n\n", 0),
        (_LINES.replace("}\n{", "}{", 1), 0),
    ],
    ids=["truncated", "words", "utf-8", "two-kinds", "blank", "two-on-a-line"],
)
def test_broken_lines_are_counted(
    pytester: pytest.Pytester,
    sessions: Sessions,
    runs: Runs,
    content: str | bytes,
    skipped: int,
) -> None:
    """In a file of sound sessions a broken line is left out, counted, and told with its reason."""
    sessions.suite(folder="recorded")
    sessions.text("recorded/many.jsonl", content)
    result = pytester.runpytest()
    assert {"passed": 3} == outcomes(result)
    assert skipped == sum(runs.suite["sources"]["skipped_lines"].values())
    if skipped:
        result.stdout.fnmatch_lines([f"*read 1 file, skipped {skipped} line*"])


def test_a_byte_order_mark_is_no_fault(pytester: pytest.Pytester, sessions: Sessions) -> None:
    """UTF-8 with a byte order mark is read."""
    sessions.text("recorded/bom.json", b"\xef\xbb\xbf" + _SOUND.encode())
    assert {"passed": 1} == outcomes(pytester.runpytest("--sessioneval", "recorded"))


def test_one_broken_session_of_a_file_is_its_own_error(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """In a file of several sessions the sound ones are judged, the broken one is named."""
    broken = '{"messages": [{"role": "user", "content": 5}, {"role": "assistant", "content": "x"}]}'
    recorded.text("recorded/many.jsonl", _LINES + broken + "\n")
    result = pytester.runpytest("-v")
    assert {"passed": 4, "errors": 1} == outcomes(result)
    result.stdout.fnmatch_lines(["*many.jsonl*:4: *"])


def test_the_summary_counts_what_was_wrong(
    pytester: pytest.Pytester, recorded: Sessions, runs: Runs
) -> None:
    """The report lists the files that could not be read, and the section counts them."""
    recorded.text("recorded/one.json", "{")
    recorded.text("recorded/two.json", "")
    result = pytester.runpytest()
    assert {"passed": 1, "errors": 2} == outcomes(result)
    assert ["one.json", "two.json"] == [
        problem["path"] for problem in runs.suite["sources"]["problems"]
    ]
    result.stdout.fnmatch_lines(["*read 1 file; 2 unreadable*"])


def test_nothing_but_broken_files_is_no_success(
    pytester: pytest.Pytester, sessions: Sessions
) -> None:
    """A suite of one broken file is red."""
    sessions.text("recorded/bad.json", "{")
    result = pytester.runpytest("--sessioneval", "recorded")
    assert {"errors": 1} == outcomes(result)
    assert pytest.ExitCode.TESTS_FAILED == result.ret


def test_nothing_hostile_reaches_the_terminal(
    pytester: pytest.Pytester, recorded: Sessions
) -> None:
    """A duplicate key with an escape in it cannot move the cursor."""
    recorded.text("recorded/bad.json", '{"\\u001b[2Jx": 1, "\\u001b[2Jx": 2}')
    assert "\x1b" not in pytester.runpytest().stdout.str()
