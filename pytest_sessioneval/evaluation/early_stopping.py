"""A suite judged look by look: what follows the look that decides is never asked about.

A look waits for every session up to it, and only then is the next part asked
about. So the calls are those of the looks taken, however many are in flight,
and a decision depends neither on the judge's speed nor on what is in the store
(docs/decisions/0010-early-stopping.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from pytest_sessioneval.errors import SettingError, SuiteError
from pytest_sessioneval.evaluation.plan import SuitePlan
from pytest_sessioneval.gate.model import Candidate
from pytest_sessioneval.gate.pairing import duplicate_keys
from pytest_sessioneval.gate.sequential import (
    LookPlan,
    ReachedLook,
    decide_look,
    order_seed,
    plan_looks,
)
from pytest_sessioneval.suites.model import GateSettings, Suite

__all__ = ["EarlyStopping", "check_early_stopping"]


class EarlyStopping:
    """The looks of one suite's part of a run, taken once, by whoever first needs a result."""

    def __init__(self, plan: SuitePlan, looks: LookPlan, settings: GateSettings) -> None:
        self._plan = plan
        self._looks = looks
        self._settings = settings
        self._ids = {one.member.session.key: one.member.id for one in plan.sessions}
        self._mine = frozenset(self._ids.values())
        self._turn = threading.Lock()
        self._settled = False
        self._look = len(looks.looks) - 1

    @classmethod
    def of(cls, plan: SuitePlan) -> EarlyStopping | None:
        """Return the looks of a suite; None where every session is judged in any case.

        That is without ``sequential``, without a baseline, and where two sessions
        have one key, which the decision refuses.
        """
        settings = plan.suite.settings.gate
        sessions = {one.member.session.key: one.member.session for one in plan.sessions}
        if settings is None or settings.sequential == "off" or not plan.baselines:
            return None
        if not sessions or duplicate_keys(one.member.session.key for one in plan.sessions):
            return None
        known = {s.key for baseline in plan.baselines.values() for s in baseline.sessions}
        digests = {key: session.summary.digest for key, session in sessions.items()}
        looks = plan_looks(
            {key: session.cluster for key, session in sessions.items()},
            order_seed(plan.suite.name, digests, plan.baselines),
            min_pairs=settings.min_pairs,
            added=sessions.keys() - known,
        )
        return cls(plan, looks, settings)

    def __contains__(self, member_id: str) -> bool:
        """Whether the session is one of the suite's planned ones."""
        return member_id in self._mine

    @property
    def first(self) -> tuple[str, ...]:
        """The members up to the first look, in the order of judging."""
        return self._members(0)

    @property
    def reached(self) -> ReachedLook:
        """The look that decided; the last one where none has."""
        return ReachedLook(plan=self._looks, look=self._look)

    def settle(
        self, judge: Callable[[Sequence[str]], None], candidate: Callable[[], Candidate]
    ) -> None:
        """Take look after look until one decides; from several threads, the first takes them.

        ``judge`` has members judged and waits for them; ``candidate`` returns the
        whole run as it is then. Raises what they raise, and can be called again.
        """
        with self._turn:
            if self._settled:
                return
            last = len(self._looks.looks) - 1
            for number in range(last + 1):
                judge(self._members(number))
                if number < last and self._decides(number, candidate()):
                    self._look = number
                    break
            self._settled = True

    def _members(self, number: int) -> tuple[str, ...]:
        """Return the members after the look before this one, and up to it."""
        looks = self._looks.looks
        begin = looks[number - 1].sessions if number else 0
        return tuple(self._ids[key] for key in self._looks.order[begin : looks[number].sessions])

    def _decides(self, number: int, candidate: Candidate) -> bool:
        decision = decide_look(self._looks, number, candidate, self._plan.baselines, self._settings)
        return decision is not None


def check_early_stopping(suite: Suite, *, shortcuts: bool) -> None:
    """Raise where something else than the gate must see every session.

    ``SuiteError`` for thresholds, ``SettingError`` for the shortcuts on the command line.
    """
    gate = suite.settings.gate
    if gate is None or gate.sequential == "off":
        return
    what = f'suite {suite.name}: [gate] sequential = "obf" leaves sessions unjudged once it is sure'
    for section, given in suite.settings.thresholds:
        if given:
            raise SuiteError(
                f"{what}, and [thresholds.{section}] must see them all; remove the section, or "
                'set sequential = "off"'
            )
    if shortcuts:
        raise SettingError(
            f"{what}, and --sessioneval-fail-under and --sessioneval-fail-drop must see them "
            'all; leave the option out, or set sequential = "off"'
        )
