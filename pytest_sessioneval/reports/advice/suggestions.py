"""The parts of ``advice.md`` that a model wrote: each said to be a guess, none of it markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_sessioneval.gate.figures import signed
from pytest_sessioneval.reports.advice.model import (
    Advisor,
    Cluster,
    FollowUp,
    Suggestion,
    SuiteAdvice,
)
from pytest_sessioneval.reports.neutralise import code_span, markdown_text
from pytest_sessioneval.reports.wording import counted

__all__ = ["advisor_section", "follow_up_section", "suggestion_lines", "suggestion_on"]

_TEXT = 600


def suggestion_on(cluster: Cluster, advisor: Advisor | None) -> Suggestion | None:
    """Return what the model suggested for the cluster; None: nothing that counts."""
    suggestions = () if advisor is None else advisor.suggestions
    return next((one for one in suggestions if one.cluster == cluster.id), None)


def suggestion_lines(told: Suggestion) -> Iterator[str]:
    """Yield a model's suggestion as a quotation: who reads it must see that it is a guess."""
    guess = markdown_text(told.hypothesis, _TEXT)
    yield f"> **A model's guess** `{told.id}`, from {', '.join(told.evidence)}: {guess}"
    yield ">"
    change = markdown_text(told.suggested_change, _TEXT)
    yield f"> Change ({told.target}): {change}"
    yield ">"
    axis = markdown_text(told.expected_axis)
    yield f"> Should raise {axis}. To see whether it did: {markdown_text(told.test, _TEXT)}"
    yield ""


def advisor_section(advice: SuiteAdvice) -> Iterator[str]:
    """Yield whom was asked, and what was left out of the answers."""
    advisor = advice.advisor
    if advisor is None:
        return
    yield "### Asked a model"
    yield ""
    yield _asked(advisor)
    yield ""
    for title, lines in (("rejected", advisor.rejected), ("no answer", advisor.failures)):
        for line in lines:
            yield f"- {title}: {markdown_text(line, _TEXT)}"
    if advisor.rejected or advisor.failures:
        yield ""


def _asked(advisor: Advisor) -> str:
    """Return what came of it; nothing tells an answer of this run from one kept of an earlier."""
    name = code_span(advisor.model, 80)
    if not advisor.asked and not advisor.failures:
        return f"{name} was not asked: no cluster has facts of two sessions."
    return (
        f"{name} was asked about {counted(advisor.asked, 'cluster')}, once each: "
        f"{counted(len(advisor.suggestions), 'suggestion')}, {len(advisor.rejected):,} rejected "
        f"(unknown facts, none, or of one session), {len(advisor.failures):,} without an answer."
    )


def follow_up_section(follow_ups: Sequence[FollowUp]) -> Iterator[str]:
    """Yield what became of earlier suggestions, and why that proves little."""
    if not follow_ups:
        return
    yield "### What became of earlier suggestions"
    yield ""
    yield (
        "Exploratory. Nobody knows whether they were followed, and their sessions were chosen for "
        "being low, so they rise by chance alone (regression to the mean): only sessions that "
        "were not chosen, and the gate, can confirm a change."
    )
    yield ""
    for one in follow_ups:
        yield f"- `{one.id}` {markdown_text(one.suggested_change, _TEXT)} {_became(one)}"
    yield ""


def _became(one: FollowUp) -> str:
    axis = markdown_text(one.axis)
    if one.change is None:
        number = counted(one.sessions, "session")
        return f"**{axis}: none of its {number} is recorded anew and scored.**"
    told = f"{axis}: {signed(one.change)} points"
    if one.low is not None and one.high is not None:
        told += f" (90 % interval {signed(one.low)} to {signed(one.high)}, paired t)"
    told += f" in {one.pairs:,} of its {counted(one.sessions, 'session')}"
    if one.others_change is None:
        return f"**{told}**; no other session is recorded anew."
    return f"**{told}**; {signed(one.others_change)} in {counted(one.others, 'other session')}."
