"""Settings of a run, frozen once: command line > environment > ini > suite file > default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.selection import Selection
from pytest_sessioneval.evaluation.settings import (
    CONTEXT_VARIABLE,
    EMBEDDING_VARIABLE,
    LEAST_CONTEXT,
    PRICES_VARIABLE,
    EvaluationSettings,
    models_named,
    typed_judge,
)
from pytest_sessioneval.evaluation.sharing import Part
from pytest_sessioneval.evaluation.sources import Source, parse_source
from pytest_sessioneval.gate.shortcuts import (
    FailDrop,
    FailUnder,
    parse_fail_drop,
    parse_fail_under,
)
from pytest_sessioneval.judging.backends.opening import MODELS, names_model
from pytest_sessioneval.judging.models import ModelTable
from pytest_sessioneval.reports.writing import RUN_ID
from pytest_sessioneval.shell.options import OPTIONS, Option
from pytest_sessioneval.transcripts.redaction_policy import Replaced

__all__ = ["GateOptions", "RunSettings", "run_settings"]

ValueT = TypeVar("ValueT")

_ENVIRONMENT = {
    "judge": "SESSIONEVAL_JUDGE",
    "embedding-model": EMBEDDING_VARIABLE,
    "context-tokens": CONTEXT_VARIABLE,
    "prices": PRICES_VARIABLE,
    "store": "SESSIONEVAL_STORE",
    "compare": "SESSIONEVAL_COMPARE",
    "advisor": "SESSIONEVAL_ADVISOR",
}
_LONGEST_ID = 80
"""A part's report has a longer one: it names the part, too."""
_BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What command line and environment say of the gate."""

    baseline: Path | None
    """The baseline file; None: the suite's own."""
    update: bool
    """Write this run's scores as the baseline, and decide nothing."""
    compare: Source | None
    """What to hold the run against; None: the baseline in the work tree."""
    require: bool
    """A gate that could not decide fails the run."""
    under: tuple[FailUnder, ...]
    drop: tuple[FailDrop, ...]


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What command line, environment and ini files ask for; None: the suite file decides."""

    judge: str | None
    rubric: str | None
    repeats: int | None
    timeout_s: float
    store: str
    out: Path
    json: Path | None
    md: Path | None
    estimate: bool
    """Count what judging would take, and judge nothing."""
    redact: Replaced | None
    selection: Selection
    run_id: str | None
    """The id to give the run; None: a new one."""
    part: Part | None
    """Which part of a shared run this is; None: it is a run of its own."""
    evaluation: EvaluationSettings
    gate: GateOptions
    advisor: str | None
    """The model that is asked about the costliest clusters; None: none is."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value and where it came from, for messages."""

    text: str
    origin: str
    trusted: bool
    """It was typed or stood in the environment: no file of the repository can have set it."""


def run_settings(config: pytest.Config, environ: Mapping[str, str], *, home: Path) -> RunSettings:
    """Return the settings, every value parsed; ``home`` is where ``.sessioneval`` lies.

    Raises ``SettingError`` naming the option, what was found and what is accepted.
    """
    given = {option.name: _given(config, environ, option) for option in OPTIONS}
    _check_update(given)
    _check_estimate(given)
    _check_baseline(given)

    def read(name: str, parse: Callable[[_Given], ValueT], default: ValueT) -> ValueT:
        value = given[name]
        return default if value is None else parse(value)

    where = config.invocation_params.dir
    out = read("out", lambda value: where / value.text, home / ".sessioneval")
    maxfail = config.getoption("maxfail", 0)
    concurrency = read("concurrency", _count, 32)
    run_id = read("run-id", _run_id, None)
    shard = read("shard", _shard, None)
    part = None if run_id is None or shard is None else Part(run_id, *shard)
    if part is not None:
        _check_part(given)
    return RunSettings(
        judge=read("judge", lambda value: _judge(value, where), None),
        rubric=read("rubric", _text, None),
        repeats=read("repeats", _count, None),
        timeout_s=read("timeout", _seconds, 120.0),
        store=read("store", _store_url, "sqlite:///.sessioneval/store.db"),
        out=out,
        json=read("json", lambda value: where / value.text, None),
        md=read("md", lambda value: where / value.text, None),
        estimate=given["estimate"] is not None,
        redact=read("redact", _replaced, None),
        selection=Selection(
            scope=read("scope", _scope, "all"),
            since=read("since", _date, None),
            limit=read("limit", _count, None),
            shard=shard,
        ),
        run_id=run_id,
        part=part,
        evaluation=EvaluationSettings(
            concurrency=concurrency,
            # With -x the window is what may be asked for after the first failure.
            lookahead=concurrency if maxfail else None,
            embedding_model=read("embedding-model", _text, None),
            context_tokens=read("context-tokens", _context, None),
            max_calls=read("max-calls", _whole, None),
            max_cost_usd=read("max-cost", _dollars, None),
            models=read("prices", lambda value: _prices(value, where), None),
            offline=given["offline"] is not None,
            for_baseline=given["update-baseline"] is not None,
        ),
        gate=GateOptions(
            baseline=read("baseline", lambda value: where / value.text, None),
            update=given["update-baseline"] is not None,
            compare=read("compare", lambda value: _source(value, where, out), None),
            require=given["require-gate"] is not None,
            under=tuple(map(parse_fail_under, config.getoption("sessioneval_fail_under") or ())),
            drop=tuple(map(parse_fail_drop, config.getoption("sessioneval_fail_drop") or ())),
        ),
        advisor=read("advisor", _model, None),
    )


def _check_update(given: Mapping[str, _Given | None]) -> None:
    """Raise ``SettingError`` where writing the baseline would pass over a check.

    A run that writes it decides nothing, so that one word in a file of the
    change under test would bless whatever else was asked for.
    """
    update = given["update-baseline"]
    if update is None:
        return
    if not update.trusted:
        raise SettingError(
            f"{update.origin}: a baseline is written only where the command line itself says so"
        )
    for name in ("compare", "require-gate", "fail-under", "fail-drop"):
        check = given[name]
        if check is not None and check.trusted:
            raise SettingError(
                f"{update.origin} decides nothing, and {check.origin} asks for a decision; "
                "give one of them"
            )


def _check_estimate(given: Mapping[str, _Given | None]) -> None:
    """Raise ``SettingError`` where counting would pass over a check: it judges nothing."""
    estimate = given["estimate"]
    if estimate is None:
        return
    if not estimate.trusted:
        raise SettingError(
            f"{estimate.origin}: nothing is judged then, so only the command line itself may say so"
        )
    for name in ("require-gate", "fail-under", "fail-drop"):
        check = given[name]
        if check is not None and check.trusted:
            raise SettingError(
                f"{estimate.origin} judges nothing, and {check.origin} asks for a decision; "
                "give one of them"
            )


def _check_baseline(given: Mapping[str, _Given | None]) -> None:
    """Raise ``SettingError`` where a file under test chooses what a revision is held against."""
    baseline, compare = given["baseline"], given["compare"]
    if baseline is None or compare is None or baseline.trusted:
        return
    raise SettingError(
        f"{baseline.origin}: with {_BY_NAME['compare'].flag}, the baseline's file may be named on "
        "the command line only: whoever changes a file of the repository could choose another"
    )


def _check_part(given: Mapping[str, _Given | None]) -> None:
    """Raise ``SettingError`` where a part of a shared run would not be all of its shard."""
    for name in ("scope", "since", "limit", "update-baseline"):
        other = given[name]
        if other is not None:
            raise SettingError(
                f"{other.origin}: a part of a shared run ({_BY_NAME['run-id'].flag} with "
                f"{_BY_NAME['shard'].flag}) is all of its shard, and writes no baseline; leave "
                "one of them out"
            )


def _source(value: _Given, where: Path, out: Path) -> Source:
    # What a change is held against must not be the change's own to choose.
    if not value.trusted:
        raise SettingError(
            f"{value.origin}: what to compare with may be named by {_BY_NAME['compare'].flag} on "
            "the command line or by SESSIONEVAL_COMPARE only"
        )
    return parse_source(value.text, option=value.origin, where=where, out=out)


def _given(config: pytest.Config, environ: Mapping[str, str], option: Option) -> _Given | None:
    typed: Any = config.getoption(option.dest)
    variable = _ENVIRONMENT.get(option.name)
    if typed is not None and _was_typed(config, option):
        return _Given(str(typed), option.flag, trusted=True)
    if variable is not None and environ.get(variable):
        return _Given(environ[variable], variable, trusted=True)
    if typed is not None:
        return _Given(str(typed), f"{option.flag} (in addopts)", trusted=False)
    if option.twin:
        value: Any = config.getini(option.dest)
        if value:
            return _Given(str(value), f"{option.dest} (ini)", trusted=False)
    return None


def _was_typed(config: pytest.Config, option: Option) -> bool:
    """Whether the option stood on the command line itself: addopts is a file's word.

    An xdist worker is handed what its controller has checked already.
    """
    return hasattr(config, "workerinput") or any(
        argument == option.flag or argument.startswith(f"{option.flag}=")
        for argument in map(str, config.invocation_params.args)
    )


def _text(value: _Given) -> str:
    return value.text


def _model(value: _Given) -> str:
    if not names_model(value.text):
        raise _wrong(value, MODELS)
    return value.text


def _judge(value: _Given, where: Path) -> str:
    return typed_judge(value.text, where) if value.trusted else value.text


def _wrong(value: _Given, accepted: str) -> SettingError:
    return SettingError(f"{value.origin}: {value.text!r} is not accepted; give {accepted}")


def _count(value: _Given) -> int:
    return _whole(value, least=1)


def _context(value: _Given) -> int:
    return _whole(value, least=LEAST_CONTEXT)


def _whole(value: _Given, least: int = 0) -> int:
    if not value.text.isascii() or not value.text.isdigit() or int(value.text) < least:
        raise _wrong(value, f"a whole number from {least}")
    return int(value.text)


def _dollars(value: _Given) -> float:
    try:
        number = float(value.text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise _wrong(value, "US dollars, such as 5 or 0.50")
    return number


def _prices(value: _Given, where: Path) -> ModelTable:
    # Whoever could change a price could lift a cap on costs.
    if not value.trusted:
        raise SettingError(
            f"{value.origin}: prices may be named by {_BY_NAME['prices'].flag} on the command line "
            "or by SESSIONEVAL_PRICES only"
        )
    return models_named(where / value.text, value.origin)


def _seconds(value: _Given) -> float:
    try:
        number = float(value.text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise _wrong(value, "seconds, such as 60 or 2.5")
    return number


def _scope(value: _Given) -> Literal["all", "unevaluated"]:
    match value.text:
        case "all":
            return "all"
        case "unevaluated":
            return "unevaluated"
    raise _wrong(value, "all or unevaluated")


def _replaced(value: _Given) -> Replaced:
    match value.text:
        case "secrets":
            return "secrets"
        case "secrets+pii":
            return "secrets+pii"
        case "off":
            # Whoever changes a file under test could have its secrets sent and stored.
            if not value.trusted:
                raise SettingError(
                    f"{value.origin}: secrets are left in place only where "
                    f"{_BY_NAME['redact'].flag} off stands on the command line itself"
                )
            return "off"
    raise _wrong(value, "off, secrets or secrets+pii")


def _date(value: _Given) -> datetime:
    try:
        moment = datetime.fromisoformat(value.text)
    except ValueError:
        raise _wrong(value, "an ISO date, such as 2026-11-21") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _shard(value: _Given) -> tuple[int, int]:
    part, slash, whole = value.text.partition("/")
    if not slash or not (part.isdigit() and whole.isdigit() and 1 <= int(part) <= int(whole)):
        raise _wrong(value, "I/N with 1 ≤ I ≤ N, such as 2/5")
    return int(part), int(whole)


def _run_id(value: _Given) -> str:
    if not RUN_ID.fullmatch(value.text) or len(value.text) > _LONGEST_ID:
        raise _wrong(
            value,
            f"up to {_LONGEST_ID} letters, digits, '.', '_' and '-', a letter or digit first",
        )
    return value.text


def _store_url(value: _Given) -> str:
    # A store elsewhere is where forged verdicts could come from and sessions could
    # go to: only a person or the machine may name one, never a file under test.
    if not value.trusted and not value.text.startswith("sqlite:"):
        raise SettingError(
            f"{value.origin}: a store other than sqlite:///… may be named by "
            f"{_BY_NAME['store'].flag} on the command line or by SESSIONEVAL_STORE only"
        )
    return value.text
