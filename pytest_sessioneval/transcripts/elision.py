"""What goes first when a transcript is too long to be shown whole.

In this order, each step only as far as needed: the middle of tool outputs that
are not kept, of everything else that is not kept, of kept tool outputs (as far
as that goes without a message getting lost: ``shortened``); then
whole messages that are not kept, sub-agents' before the main agent's, oldest
first; then the middle of anything; at last kept messages as well, and of those
the system prompt, the first question and the last word last. The order depends
on the transcript and the limit alone.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import accumulate

from pytest_sessioneval.transcripts.shown import Block, ShownMessage

__all__ = ["Candidate", "Rank", "capped", "fitted", "shortened"]

_CAPS = (16_000, 8_000, 4_000, 2_000, 1_000, 500, 240, 120)
_CAPS_OF_OTHERS = (4_000, 2_000, 1_000, 500, 240)
_CAPS_OF_KEPT_RESULTS = (16_000, 8_000, 4_000, 2_000)
_CAPS_OF_KEPT_TEXTS = (64_000, 32_000, 16_000, 8_000, 4_000)
_LEAST_KEPT = 1_000
"""Shortening for its own sake stops here: less of a message tells nothing of it."""
_HEAD_PERCENT = 60
_MARKER = 80
"""About what an elision's own line takes: eliding less would lengthen."""
_NO_HASH = "0" * 16


class Rank(IntEnum):
    """How long a message is kept, least first."""

    FIRST_TO_GO = 0
    KEPT = 1
    LAST_TO_GO = 2


@dataclass(slots=True)
class Candidate:
    """A message that would be shown whole, and how long it is kept."""

    message: ShownMessage
    rank: Rank
    size: float = math.inf
    """Longest block, in characters."""

    @property
    def is_kept(self) -> bool:
        """Whether others go before it."""
        return self.rank > Rank.FIRST_TO_GO


def fitted(candidates: Sequence[Candidate], max_chars: int) -> tuple[ShownMessage, ...]:
    """Return the messages as they are shown within ``max_chars``, counted over their lines.

    What is left out leaves an elision behind; ``max_chars`` must have room for
    two of those.
    """
    plan = _Plan(candidates)
    if plan.shorten_middles(max_chars):
        return tuple(plan.shown)
    order = sorted(
        range(len(candidates)),
        key=lambda at: (candidates[at].rank, candidates[at].message.agent_id is None, at),
    )
    dispensable = [at for at in order if not candidates[at].is_kept]
    if (shown := plan.without(dispensable, max_chars)) is not None:
        return shown
    for cap in _CAPS:
        plan.shorten(lambda _: True, cap)
        if (shown := plan.without(dispensable, max_chars)) is not None:
            return shown
    shown = plan.without(order[:-1], max_chars, across_agents=True)
    return shown or (plan.left_out(0, len(candidates) - 1),)


def shortened(candidates: Sequence[Candidate], max_chars: int) -> tuple[ShownMessage, ...] | None:
    """Return the messages with only their middles left out, none below 1,000 characters.

    The middles of very long texts that are kept go last, not below 4,000. None
    where that does not fit: something would have to be left out whole.
    """
    plan = _Plan(candidates)
    return tuple(plan.shown) if plan.shorten_middles(max_chars, _LEAST_KEPT) else None


def capped(candidates: Sequence[Candidate], max_chars: int) -> tuple[ShownMessage, ...]:
    """Return every message, the middle of its blocks left out where they are longer than that."""
    plan = _Plan(candidates)
    plan.shorten(lambda _: True, max_chars)
    return tuple(plan.shown)


class _Plan:
    """The messages as they would be shown now, and what that costs in characters."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.shown = [each.message for each in candidates]
        self.costs = [_cost(message) for message in self.shown]
        self.cost = sum(self.costs)
        sizes = [[len(block.text) for block in message.recorded] for message in self.shown]
        self.longest = [max(blocks, default=0) for blocks in sizes]
        self.chars_before = [0, *accumulate(map(sum, sizes))]
        self.roles_before = {
            role: [0, *accumulate(message.role == role for message in self.shown)]
            for role in ("assistant", "system", "tool", "user")
        }

    def shorten_middles(self, max_chars: int, least: int = 0) -> bool:
        """Leave out middles in the fixed order until it fits; return whether it does.

        No message is shortened to less than ``least`` characters.
        """
        steps: list[tuple[Callable[[Candidate], bool], Sequence[int]]] = [
            (lambda each: not each.is_kept and each.message.role == "tool", _CAPS),
            (lambda each: not each.is_kept, _CAPS_OF_OTHERS),
            (lambda each: each.is_kept and each.message.role == "tool", _CAPS_OF_KEPT_RESULTS),
        ]
        if least:  # else whole messages that are not kept go before the middle of kept texts
            steps.append((lambda _: True, _CAPS_OF_KEPT_TEXTS))
        for applies, caps in steps:
            for cap in caps:
                if self.cost <= max_chars:
                    return True
                if cap >= least:
                    self.shorten(applies, cap)
        return self.cost <= max_chars

    def shorten(self, applies: Callable[[Candidate], bool], cap: int) -> None:
        """Shorten blocks of the messages that ``applies`` holds for to ``cap`` characters."""
        for at, each in enumerate(self.candidates):
            if self.longest[at] <= cap + _MARKER or each.size <= cap or not applies(each):
                continue
            each.size = cap
            blocks = tuple(part for block in each.message.blocks for part in _shortened(block, cap))
            self.shown[at] = replace(each.message, blocks=blocks)
            self.cost -= self.costs[at]
            self.costs[at] = _cost(self.shown[at])
            self.cost += self.costs[at]

    def without(
        self, order: Sequence[int], max_chars: int, *, across_agents: bool = False
    ) -> tuple[ShownMessage, ...] | None:
        """Leave out as few messages as fit, in this order; null where leaving out all will not do.

        Fewest as bisection finds it: in rare cases one more than needed.
        ``across_agents`` lets one elision stand for messages of several agents.
        """

        def cost(count: int) -> int:
            runs = self._runs(order[:count], across_agents=across_agents)
            lines = sum(_cost(self.left_out(*run, hashed=False)) for run in runs)
            return self.cost - sum(self.costs[at] for at in order[:count]) + lines

        if cost(len(order)) > max_chars:
            return None
        too_few, enough = 0, len(order)
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if cost(middle) <= max_chars:
                enough = middle
            else:
                too_few = middle
        shown: list[ShownMessage] = []
        upto = 0
        for first, last in self._runs(order[:enough], across_agents=across_agents):
            shown += [*self.shown[upto:first], self.left_out(first, last)]
            upto = last + 1
        return (*shown, *self.shown[upto:])

    def _runs(self, out: Sequence[int], *, across_agents: bool) -> list[tuple[int, int]]:
        """Return the runs of adjacent positions, each as its first and last, in order."""
        runs: list[tuple[int, int]] = []
        for at in sorted(out):
            same_agent = across_agents or (
                runs and self.shown[at].agent_id == self.shown[at - 1].agent_id
            )
            if runs and runs[-1][1] == at - 1 and same_agent:
                runs[-1] = (runs[-1][0], at)
            else:
                runs.append((at, at))
        return runs

    def left_out(self, first: int, last: int, *, hashed: bool = True) -> ShownMessage:
        """Return the one line that stands for the messages at these positions and between."""
        start, end = self.candidates[first].message, self.candidates[last].message
        label = start.label if first == last else f"{start.label} to {end.label}"
        counts = ", ".join(
            f"{before[last + 1] - before[first]} {role}"
            for role, before in self.roles_before.items()
            if before[last + 1] > before[first]
        )
        chars = _grouped(self.chars_before[last + 1] - self.chars_before[first])
        digest = _NO_HASH
        if hashed:
            run = self.candidates[first : last + 1]
            digest = _hash(block.text for each in run for block in each.message.recorded)
        marker = f"[… {label} left out: {counts}, {chars} chars elided, sha256 {digest}]"
        return ShownMessage(
            label=start.label,
            index=start.index,
            role=start.role,
            blocks=(Block("elision", marker),),
            agent_id=start.agent_id,
            last=end.index,
            last_label=end.label,
        )


def _cost(message: ShownMessage) -> int:
    return sum([len(line) + 1 for line in message.lines()])


def _shortened(block: Block, cap: int) -> tuple[Block, ...]:
    """Return the block's head and tail with an elision between, or the block if it is short."""
    if block.kind == "media" or len(block.text) <= cap + _MARKER:
        return (block,)
    head = cap * _HEAD_PERCENT // 100
    tail = len(block.text) - (cap - head)
    middle = block.text[head:tail]
    marker = f"[… {_grouped(len(middle))} chars elided, sha256 {_hash([middle])}]"
    return (
        replace(block, text=block.text[:head]),
        Block("elision", marker),
        replace(block, text=block.text[tail:]),
    )


def _hash(texts: Iterable[str]) -> str:
    running = hashlib.sha256()
    for text in texts:
        running.update(text.encode("utf-8", "surrogatepass"))
    return running.hexdigest()[:16]


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")
