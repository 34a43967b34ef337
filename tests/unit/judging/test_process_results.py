"""How a call ended, told from its result."""

from __future__ import annotations

import pytest

from pytest_sessioneval.judging.process.results import (
    Status,
    is_polling,
    result_status,
    tells_outage,
    writes,
)

FAILURES: tuple[tuple[str, str, bool, Status], ...] = (
    ("get_order", '{"order_id": "W1"}', False, "ok"),
    ("get_order", "", False, "ok"),
    ("get_order", "Error: order not found", False, "failed"),
    ("get_order", "Traceback (most recent call last):\n  File", False, "failed"),
    ("get_order", "ValueError: no such order", False, "failed"),
    ("get_order", '{"error": "order not found"}', False, "failed"),
    ("get_order", '{"error": null, "order": "W1"}', False, "ok"),
    ("get_order", '{"success": false, "reason": "closed"}', False, "failed"),
    ("get_order", '{"status": "cancelled"}', False, "ok"),
    ("get_order", "whatever", True, "failed"),
    ("get_order", "Error: 503 Service Unavailable", False, "outage"),
    ("get_order", "Error: request timed out", False, "outage"),
    ("gte_order", "Error: unknown tool gte_order", False, "unknown_tool"),
    ("Edit", "<tool_use_error>No such tool available: Edti</tool_use_error>", True, "unknown_tool"),
    ("Task", "<tool_use_error>InputValidationError: prompt is missing", True, "bad_arguments"),
    ("Edit", "The user doesn't want to proceed with this tool use.", True, "denied"),
    ("Write", "Claude requested permissions to write, but you haven't granted it.", True, "denied"),
    ("Bash", "Exit code 1\n2 failed, 30 passed", True, "reported"),
    ("Bash", "Exit code 127\nbash: foo: command not found", True, "failed"),
    ("Bash", "cat: x: No such file or directory", True, "failed"),
    ("Bash", "bash: line 1: foo: command not found", False, "failed"),
    ("Bash", "Exit code 0\nall good", False, "ok"),
    ("Bash", "", False, "ok"),
)


@pytest.mark.parametrize(("name", "text", "is_error", "expected"), FAILURES)
def test_a_result_tells_how_its_call_ended(
    name: str,
    text: str,
    is_error: bool,  # noqa: FBT001  (a table's column)
    expected: Status,
) -> None:
    """Error marks, error shapes and shell conventions are told apart."""
    assert expected == result_status(name, text, is_error=is_error)


@pytest.mark.parametrize(
    "text",
    [
        "     1→// Unknown error type\n     2→return fmt.Errorf(msg)",
        "The file has been updated. An error was fixed in line 3.",
        "src/errors.py\nsrc/failures.py",
        "No errors were found.",
        '{"name": "Mia", "note": "error in address, failed delivery"}',
        "Error handling\n" + "in long documents " * 400,
    ],
)
def test_a_result_that_speaks_of_errors_is_no_error(text: str) -> None:
    """Files, listings and records may hold any word."""
    assert result_status("Read", text, is_error=False) == "ok"


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("get_order", {}, False),
        ("searchFlights", {}, False),
        ("Read", {}, False),
        ("book_flight", {}, True),
        ("Edit", {}, True),
        ("frobnicate", {}, True),
        ("Bash", {"command": "ls -la"}, False),
        ("Bash", {"command": "git status"}, False),
        ("Bash", {"command": "git commit -m x"}, True),
        ("Bash", {"command": "echo x > file"}, True),
        ("Bash", {"command": "make"}, True),
        ("local_shell", {"command": ["cat", "x"]}, False),
    ],
)
def test_what_may_write_is_told_from_what_only_reads(
    name: str,
    arguments: dict[str, object],
    expected: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """In doubt a call may change something."""
    assert expected is writes(name, arguments)


def test_waiting_tools_are_known_by_name() -> None:
    """Asking a background task again is what such a tool is for; a flight's status is not."""
    assert [True, True, False] == [
        is_polling(name) for name in ("BashOutput", "TaskOutput", "get_flight_status")
    ]


@pytest.mark.parametrize(
    ("said", "outage"),
    [
        ("Error: 503 Service Unavailable", True),
        ("Error: order not found", False),
        ("We were open when the request timed out.", False),
    ],
)
def test_an_outage_is_told_from_its_words(said: str, outage: bool) -> None:  # noqa: FBT001
    """It has the form of an error, and says that something was out of order."""
    assert outage == tells_outage(said)
