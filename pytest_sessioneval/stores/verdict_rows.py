"""Verdicts kept in step with opinions, in the transaction that puts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from pytest_sessioneval.stores import listing_sql
from pytest_sessioneval.stores.answers import (
    Answer,
    answer_of,
    experts_text,
    merged,
    parsed,
    written,
)
from pytest_sessioneval.stores.database import Row, Transaction
from pytest_sessioneval.stores.protocol import StoredOpinion
from pytest_sessioneval.stores.queries import chunks, within
from pytest_sessioneval.stores.rows import kept_opinion

__all__ = ["fill_verdicts", "put_verdicts"]

_Place = tuple[str, str]
"""Suite and session key."""
_Group = tuple[str, str, str]
"""Digest, rubric version and judge version: what opinions of one verdict have in common."""

_PINNED = """SELECT suite, session_key FROM sessions WHERE session LIKE ?"""
_PIN = "UPDATE sessions SET pinned = 1 WHERE suite = ? AND session_key = ?"


@dataclass(frozen=True, slots=True)
class _Known:
    """A verdict as it was kept before."""

    judged_at: str
    answers: str
    newest: bool


def put_verdicts(transaction: Transaction, rows: Iterable[StoredOpinion]) -> None:
    """Bring the verdicts that these opinions belong to up to date.

    One row per session, digest and versions; of a session's rows the one with
    the latest opinion is marked as the newest.
    """
    fresh: dict[_Place, dict[_Group, list[Answer]]] = {}
    for row in rows:
        group = (row.digest, row.opinion.rubric_version, row.opinion.judge_version)
        groups = fresh.setdefault((row.suite, row.key), {})
        groups.setdefault(group, []).append(answer_of(row.opinion))
    known = _known(transaction, fresh)
    demoted: list[Row] = []
    verdicts: list[Row] = []
    for place, groups in fresh.items():
        before = known.get(place, {})
        answered = {
            group: merged(parsed(before[group].answers) if group in before else (), answers)
            for group, answers in groups.items()
        }
        latest = {group: kept.judged_at for group, kept in before.items()}
        latest |= {group: max(a.at for a in answers) for group, answers in answered.items()}
        newest = max(latest, key=lambda group: (latest[group], group))
        if any(kept.newest and group != newest for group, kept in before.items()):
            demoted.append(place)
        verdicts += [
            (
                *(*place, *group),
                latest[group],
                experts_text(answer.expert for answer in answers),
                written(answers),
                int(group == newest),
            )
            for group, answers in answered.items()
        ]
    # In this order: no moment may have two newest.
    transaction.run(listing_sql.VERDICT_NO_LONGER_NEWEST, demoted)
    transaction.run(listing_sql.PUT_VERDICT, verdicts)


def fill_verdicts(transaction: Transaction) -> None:
    """Make the verdicts of all opinions there are, and pin the sessions that say so.

    An opinion that cannot be read is left out: it is an error where it is asked for.
    """
    places: dict[str, list[str]] = {}
    for suite, key in transaction.rows(listing_sql.SESSIONS_WITH_EVALUATIONS):
        places.setdefault(str(suite), []).append(str(key))
    for suite, keys in places.items():
        for chunk in chunks(keys):
            sql = within(listing_sql.OPINIONS_OF_SESSIONS, len(chunk))
            put_verdicts(transaction, _opinions(transaction.rows(sql, (suite, *chunk))))
    transaction.run(_PIN, transaction.rows(_PINNED, ('%"pinned":true%',)))


def _known(
    transaction: Transaction, places: Iterable[_Place]
) -> dict[_Place, dict[_Group, _Known]]:
    keys: dict[str, list[str]] = {}
    for suite, key in places:
        keys.setdefault(suite, []).append(key)
    found: dict[_Place, dict[_Group, _Known]] = {}
    for suite, listed in keys.items():
        for chunk in chunks(listed):
            sql = within(listing_sql.VERDICTS_OF, len(chunk))
            for row in transaction.rows(sql, (suite, *chunk)):
                _, place, digest, rubric, judge, judged_at, answers, newest = row
                group = (str(digest), str(rubric), str(judge))
                kept = _Known(str(judged_at), str(answers), bool(newest))
                found.setdefault((suite, str(place)), {})[group] = kept
    return found


def _opinions(rows: Iterable[Row]) -> Iterator[StoredOpinion]:
    for row in rows:
        try:
            yield kept_opinion(row).stored
        except ValidationError:
            continue
