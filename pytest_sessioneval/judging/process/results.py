"""What a tool's result says of its call: it worked, it failed, it was not allowed."""

from __future__ import annotations

import re
from typing import Literal

from pytest_sessioneval.transcripts.model import JsonObject

__all__ = ["FAILED", "Status", "is_polling", "is_shell", "result_status", "tells_outage", "writes"]

Status = Literal[
    "ok", "failed", "bad_arguments", "unknown_tool", "outage", "reported", "denied", "missing"
]
"""How a call ended.

``failed``: the call did not do what it was for. ``bad_arguments`` and
``unknown_tool``: it could not have. ``outage``: the tool was out of order, which
is not the agent's fault. ``reported``: a program that the call ran reports a
failure (a red test, a lint finding, nothing found): information, no fault.
``denied``: the user or the harness did not allow it. ``missing``: no result.
"""

FAILED: frozenset[Status] = frozenset({"failed", "bad_arguments", "unknown_tool"})
"""The statuses that speak against a call."""

_HEAD = 600
_SHORT = 4_000

_ERROR_HEAD = re.compile(
    r"""\s*(?:
      [\W_]{0,3}(?:error|err|exception|fatal|failure|failed)\b\s*[:!\-—(\]]
    | error\s(?:executing|calling|running|while|in|occurred|reading|writing|parsing|code)\b
    | traceback\ \(most\ recent\ call
    | <(?:tool_use_)?error>
    | (?:tool|function|command|request|api|call)\s(?:error|call\sfailed|failed|execution\sfailed)\b
    | exit(?:ed)?\s(?:with\s)?(?:exit\s)?(?:code|status):?\s*[1-9]
    | (?:[a-z_.]{0,60}(?:error|exception)):\s
    | \{\s*"(?:error|errors|err|error_message)"\s*:\s*+(?!null|false|""|\[\s*\]|\{\s*\}|0\b)
    | (?:no\ssuch\stool|unknown\s(?:tool|function|action))
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ERROR_FIELD = re.compile(
    r'"(?:is_?error"\s*:\s*true|success"\s*:\s*false|ok"\s*:\s*false'
    r'|status"\s*:\s*"(?:error|failed|failure)")',
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"doesn't want to (?:proceed|take this action)|tool use was rejected|user (?:rejected|denied|"
    r"declined|cancelled|canceled)|requested permissions?|haven't granted|requires? approval|"
    r"permission (?:to use|for this) .{0,60}(?:denied|not granted)|request interrupted by user|"
    r"operation was (?:aborted|cancelled) by",
    re.IGNORECASE,
)
_OUTAGE = re.compile(
    r"\b(?:50[0234]\b|service (?:is )?(?:temporarily )?unavailable|bad gateway|gateway time|"
    r"timed? ?out|time-?out|rate.?limit|too many requests|429\b|connection (?:refused|reset|"
    r"aborted|error)|temporarily unavailable|overloaded|try again later|econn|network (?:error|is "
    r"unreachable)|internal server error)",
    re.IGNORECASE,
)
_UNKNOWN_TOOL = re.compile(
    r"no such tool|unknown (?:tool|function|action|command name)|invalid tool name|"
    r"(?:tool|function) [`'\"]?[\w.:-]{1,64}[`'\"]? (?:is )?(?:not found|does not exist|"
    r"is not available|not available|not registered|is unknown)|tool not found",
    re.IGNORECASE,
)
_BAD_ARGUMENTS = re.compile(
    r"inputvalidationerror|validation error|invalid (?:argument|parameter|input|json|params)|"
    r"missing (?:\d+ )?required|required (?:parameter|argument|property|field)|"
    r"unexpected (?:keyword )?argument|is a required|does not match (?:the )?schema|"
    r"unexpected parameter",
    re.IGNORECASE,
)
_SHELL_MISUSE = re.compile(
    r"command not found|not recognized as|no such file or directory|permission denied|"
    r"syntax error near|unrecognized option|unknown option|invalid option|illegal option|"
    r"cannot access|not a git repository|unexpected eof|no such command|unknown flag",
    re.IGNORECASE,
)
_SHELL_HEAD = re.compile(
    r"\s*(?:-?(?:ba|z|da)?sh|/bin/\w*sh)(?:: line \d+)?: .{0,200}"
    r"(?:not found|no such file|permission denied)",
    re.IGNORECASE,
)
_EXIT_CODE = re.compile(
    r"exit(?:ed)?(?: with)?(?: exit)? (?:code|status):? *(\d{1,3})", re.IGNORECASE
)
_SHELLS = frozenset(
    {
        "bash",
        "shell",
        "sh",
        "execute_bash",
        "run_command",
        "run_shell_command",
        "local_shell",
        "local_shell_call",
        "exec",
        "exec_command",
        "execute_command",
        "terminal",
        "run_terminal_cmd",
        "command",
        "powershell",
        "container.exec",
        "command_execution",
        "run_in_terminal",
        "run",
        "bash_command",
        "ipython",
    }
)
_POLLING = re.compile(
    r"(?:bash_?output|task_?output|agent_?output\w*|wait\w*|sleep|poll\w*|await\w*|write_stdin|"
    r"kill\w*|\w+_poll)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_READING_WORDS = frozenset(
    {
        "get",
        "read",
        "list",
        "search",
        "find",
        "look",
        "lookup",
        "fetch",
        "view",
        "show",
        "query",
        "describe",
        "check",
        "calculate",
        "think",
        "grep",
        "glob",
        "ls",
        "cat",
        "count",
        "inspect",
        "status",
        "details",
        "retrieve",
        "todo",
        "todoread",
        "web",
        "open",
        "plan",
    }
)
_READING_COMMANDS = frozenset(
    {
        "ls",
        "cat",
        "grep",
        "rg",
        "find",
        "head",
        "tail",
        "wc",
        "pwd",
        "echo",
        "which",
        "file",
        "stat",
        "du",
        "tree",
        "env",
        "printenv",
        "type",
        "less",
        "sed",
        "awk",
        "sort",
        "uniq",
        "diff",
        "jq",
    }
)
_READING_GIT = frozenset({"status", "log", "diff", "show", "branch", "remote", "blame"})


def is_shell(name: str) -> bool:
    """Return whether a tool of that name runs commands."""
    return name.lower() in _SHELLS


def is_polling(name: str) -> bool:
    """Return whether a tool of that name waits for something: asking it again is its purpose."""
    return _POLLING.fullmatch(name) is not None


def writes(name: str, arguments: JsonObject | str) -> bool:
    """Return whether the call may change something, so that a look afterwards can be news.

    In doubt it may: only tools whose name says reading, and shell commands known
    to read, are taken not to.
    """
    if is_shell(name):
        words = _command(arguments).split(None, 2)
        if not words:
            return False
        if words[0] == "git" and len(words) > 1:
            return words[1] not in _READING_GIT
        return words[0] not in _READING_COMMANDS or ">" in _command(arguments)
    words = [word.lower() for word in _WORDS.findall(name)]
    return not (words and words[0] in _READING_WORDS)


def result_status(name: str, text: str, *, is_error: bool) -> Status:
    """Return how the call ended, from its result's text and the source's error mark.

    Only the beginning of the text decides: a file or a web page that speaks of
    errors is no error.
    """
    head = text[:_HEAD]
    shaped = is_error or _error_shaped(text, head)
    if is_error and _DENIED.search(head):
        return "denied"
    if is_shell(name):
        return _shell_status(text, head, shaped=shaped)
    if not shaped:
        return "ok"
    if _UNKNOWN_TOOL.search(head):
        return "unknown_tool"
    if _BAD_ARGUMENTS.search(head):
        return "bad_arguments"
    if _OUTAGE.search(head):
        return "outage"
    return "failed"


def tells_outage(text: str) -> bool:
    """Return whether the words are an error that says a tool was out of order."""
    head = text[:_HEAD]
    return _OUTAGE.search(head) is not None and _error_shaped(text, head)


def _error_shaped(text: str, head: str) -> bool:
    if len(text) > _SHORT:
        return False
    if _ERROR_HEAD.match(head):
        return True
    return head.lstrip()[:1] == "{" and _ERROR_FIELD.search(head) is not None


def _shell_status(text: str, head: str, *, shaped: bool) -> Status:
    if _SHELL_HEAD.match(head):
        return "failed"
    code = _EXIT_CODE.search(head)
    if code is not None and code.group(1) == "0" and not shaped:
        return "ok"
    if not shaped and code is None:
        return "ok"
    if code is not None and int(code.group(1)) in (126, 127):
        return "failed"
    if _UNKNOWN_TOOL.search(head):
        return "unknown_tool"
    misuse = _SHELL_MISUSE.search(head) or _SHELL_MISUSE.search(text[-_HEAD:])
    return "failed" if misuse else "reported"


def _command(arguments: JsonObject | str) -> str:
    if isinstance(arguments, str):
        return arguments
    for key in ("command", "cmd", "script", "code", "input"):
        value = arguments.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return " ".join(str(word) for word in value)
    return ""
