"""Every option, and its ini twin, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

__all__ = ["OPTIONS", "Option", "add_options", "any_option_given"]


@dataclass(frozen=True, slots=True)
class Option:
    """One option ``--sessioneval-NAME`` and its ini twin ``sessioneval_NAME``."""

    name: str
    metavar: str | None
    help: str
    twin: bool = True
    """Whether an ini file may set it."""
    repeatable: bool = False
    """Whether it may be given several times."""

    @property
    def flag(self) -> str:
        """The option as typed."""
        return f"--sessioneval-{self.name}"

    @property
    def dest(self) -> str:
        """Its name in ``config.option``, and in an ini file."""
        return f"sessioneval_{self.name.replace('-', '_')}"


OPTIONS = (
    Option("judge", "MODEL", "who judges: evidence, openai:…, anthropic:…, ollama:…, hook:…"),
    Option("rubric", "NAME|PATH", "what is scored: a built-in rubric or a rubric file"),
    Option("repeats", "N", "how often each expert is asked about each session"),
    Option("embedding-model", "NAME", "what compares texts, behind an OpenAI-compatible server"),
    Option("context-tokens", "N", "what a judge may be sent and answer together"),
    Option("concurrency", "N", "most judge calls in flight (default 32)"),
    Option("max-calls", "N", "most judge calls; beyond it sessions are not scored"),
    Option("max-cost", "DOLLARS", "most US dollars for judges; an unknown price is refused"),
    Option("prices", "FILE", "your own table of what judges cost and can read", twin=False),
    Option("timeout", "SECONDS", "longest wait for one reply (default 120)"),
    Option("store", "URL", "where verdicts are kept (default sqlite:///.sessioneval/store.db)"),
    Option("out", "DIR", "where reports are written (default .sessioneval)"),
    Option("json", "PATH", "also write the JSON report here", twin=False),
    Option("md", "PATH", "also write the Markdown report here", twin=False),
    Option("scope", "all|unevaluated", "which sessions: all, or those without a current verdict"),
    Option("since", "DATE", "only sessions recorded on or after this ISO date", twin=False),
    Option("limit", "N", "at most this many sessions of each suite", twin=False),
    Option("shard", "I/N", "only the I-th of N parts of each suite", twin=False),
    Option("run-id", "ID", "with --sessioneval-shard: the run that all parts share", twin=False),
    Option("baseline", "PATH", "the baseline file, instead of the suite's own", twin=False),
    Option("update-baseline", None, "write this run's scores as the baseline", twin=False),
    Option("compare", "RUN|PATH|git:REF", "hold this run against another", twin=False),
    Option("require-gate", None, "fail when a gate could not decide"),
    Option("fail-under", "AXIS:N", "fail when a mean is lower", twin=False, repeatable=True),
    Option("fail-drop", "AXIS:N[%]", "fail when a mean dropped", twin=False, repeatable=True),
    Option("redact", "off|secrets|secrets+pii", "what is replaced before anybody sees a session"),
    Option("estimate", None, "count calls, tokens and cost, and judge nothing", twin=False),
    Option(
        "advisor", "MODEL", "a model that says why the costliest clusters may fail (one call each)"
    ),
    Option("offline", None, "ask no judge: sessions the store does not know are not scored"),
)
"""In the order of ``pytest --help``."""


def add_options(parser: pytest.Parser) -> None:
    """Register ``--sessioneval``, every option and every ini twin."""
    group = parser.getgroup("sessioneval", "judging recorded agent sessions")
    group.addoption(
        "--sessioneval",
        action="store_true",
        default=False,
        help="treat the given folders and files as suites of recorded agent sessions",
    )
    for option in OPTIONS:
        arguments: dict[str, Any] = {"action": "store_true"}
        if option.metavar is not None:
            action = "append" if option.repeatable else "store"
            arguments = {"action": action, "metavar": option.metavar}
        group.addoption(option.flag, dest=option.dest, default=None, help=option.help, **arguments)
        if option.twin:
            kind: Literal["bool", "string"] = "bool" if option.metavar is None else "string"
            parser.addini(option.dest, f"see {option.flag}", type=kind, default=None)


def any_option_given(config: pytest.Config) -> bool:
    """Return whether the command line or an ini file says anything of how to judge."""
    return any(
        config.getoption(option.dest) is not None
        or (option.twin and bool(config.getini(option.dest)))
        for option in OPTIONS
    )
