"""What goes first when a transcript is too long to be shown whole.

In this order, each step only as far as needed: the middle of tool outputs that
are not kept, of everything else that is not kept, of kept tool outputs; then
whole messages that are not kept, sub-agents' before the main agent's, oldest
first; then the middle of anything; at last whole messages again, down to the
last one. The order depends on the transcript and the limit alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_sessioneval.transcripts.shown import Block, ShownMessage

__all__ = ["Candidate", "fitted"]

_CAPS = (16_000, 8_000, 4_000, 2_000, 1_000, 500, 240, 120)
_CAPS_OF_OTHERS = (4_000, 2_000, 1_000, 500, 240)
_CAPS_OF_KEPT_RESULTS = (16_000, 8_000, 4_000, 2_000)
_HEAD_PERCENT = 60
_MARKER = 80
"""About what an elision's own line takes: eliding less would lengthen."""
_NO_HASH = "0" * 16


@dataclass(slots=True)
class Candidate:
    """A message that would be shown whole, and whether it is kept as long as possible."""

    message: ShownMessage
    kept: bool
    size: int | None = None
    """Longest block, in characters; null: whatever there is."""


def fitted(candidates: Sequence[Candidate], max_chars: int) -> tuple[ShownMessage, ...]:
    """Return the messages as they are shown within ``max_chars``, counted over their lines.

    What is left out leaves an elision behind; ``max_chars`` must have room for
    two of those.
    """
    plan = _Plan(candidates)
    if plan.cost <= max_chars:
        return tuple(plan.shown)
    steps: tuple[tuple[Callable[[Candidate], bool], Sequence[int]], ...] = (
        (lambda each: not each.kept and each.message.role == "tool", _CAPS),
        (lambda each: not each.kept, _CAPS_OF_OTHERS),
        (lambda each: each.kept and each.message.role == "tool", _CAPS_OF_KEPT_RESULTS),
    )
    for applies, caps in steps:
        for cap in caps:
            plan.shorten(applies, cap)
            if plan.cost <= max_chars:
                return tuple(plan.shown)
    main = [at for at, each in enumerate(candidates) if each.message.agent_id is None]
    agents = [at for at, each in enumerate(candidates) if each.message.agent_id is not None]
    dispensable = [at for at in agents + main if not candidates[at].kept]
    if (shown := plan.without(dispensable, max_chars)) is not None:
        return shown
    for cap in _CAPS:
        plan.shorten(lambda _: True, cap)
        if (shown := plan.without(dispensable, max_chars)) is not None:
            return shown
    order = dispensable + [at for at in agents + main if candidates[at].kept]
    last = main[-1] if main else -1
    shown = plan.without([at for at in order if at != last], max_chars, across_agents=True)
    return shown or (_left_out([each.message for each in candidates], hashed=True),)


class _Plan:
    """The messages as they would be shown now, and what that costs in characters."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        self.shown = [each.message for each in candidates]
        self.costs = [_cost(message) for message in self.shown]
        self.cost = sum(self.costs)

    def shorten(self, applies: Callable[[Candidate], bool], cap: int) -> None:
        """Shorten blocks of the messages that ``applies`` holds for to ``cap`` characters."""
        for at, each in enumerate(self.candidates):
            if not applies(each) or (each.size is not None and each.size <= cap):
                continue
            each.size = cap
            blocks = tuple(part for block in each.message.blocks for part in _shortened(block, cap))
            self.shown[at] = replace(each.message, blocks=blocks)
            self.costs[at] = _cost(self.shown[at])
        self.cost = sum(self.costs)

    def without(
        self, order: Sequence[int], max_chars: int, *, across_agents: bool = False
    ) -> tuple[ShownMessage, ...] | None:
        """Leave out as few messages as fit, in this order; null where leaving out all will not do.

        Fewest as bisection finds it: in rare cases one more than needed.
        ``across_agents`` lets one elision stand for messages of several agents.
        """

        def cost(count: int) -> int:
            out = set(order[:count])
            runs = self._runs(out, across_agents=across_agents, hashed=False)
            rest = sum(cost for at, cost in enumerate(self.costs) if at not in out)
            return rest + sum(_cost(run) for run in runs.values())

        if cost(len(order)) > max_chars:
            return None
        too_few, enough = 0, len(order)
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if cost(middle) <= max_chars:
                enough = middle
            else:
                too_few = middle
        out = set(order[:enough])
        runs = self._runs(out, across_agents=across_agents, hashed=True)
        return tuple(
            runs.get(at, message)
            for at, message in enumerate(self.shown)
            if at not in out or at in runs
        )

    def _runs(self, out: set[int], *, across_agents: bool, hashed: bool) -> dict[int, ShownMessage]:
        """Return what stands for each run of messages left out, by the run's first position."""
        groups: dict[int, list[ShownMessage]] = {}
        start = -1
        for at in sorted(out):
            message = self.candidates[at].message
            follows = at - 1 in out and (
                across_agents or self.shown[at - 1].agent_id == message.agent_id
            )
            if not follows:
                start = at
            groups.setdefault(start, []).append(message)
        return {at: _left_out(group, hashed=hashed) for at, group in groups.items()}


def _cost(message: ShownMessage) -> int:
    return sum(len(line) + 1 for line in message.lines())


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


def _left_out(run: Sequence[ShownMessage], *, hashed: bool) -> ShownMessage:
    """Return the one line that stands for a run of messages."""
    first, last = run[0], run[-1]
    texts = [block.text for message in run for block in message.recorded]
    roles = Counter(message.role for message in run)
    counts = ", ".join(f"{count} {role}" for role, count in sorted(roles.items()))
    label = first.label if first.label == last.label else f"{first.label} to {last.label}"
    marker = (
        f"[… {label} left out: {counts}, {_grouped(sum(map(len, texts)))} chars elided, "
        f"sha256 {_hash(texts) if hashed else _NO_HASH}]"
    )
    return ShownMessage(
        label=first.label,
        index=first.index,
        role=first.role,
        blocks=(Block("elision", marker),),
        agent_id=first.agent_id,
        last=last.index,
    )


def _hash(texts: Sequence[str]) -> str:
    running = hashlib.sha256()
    for text in texts:
        running.update(text.encode("utf-8", "surrogatepass"))
    return running.hexdigest()[:16]


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")
