"""What a run says before the first call: how many, to whom, and a key nobody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_sessioneval.evaluation.plan import Plan
from pytest_sessioneval.evaluation.settings import PlannedCalls
from pytest_sessioneval.reports.wording import counted, dollars

__all__ = ["announcement", "estimate_lines", "samples_hint"]

_KEYS = {
    "OPENAI_API_KEY": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "SESSIONEVAL_API_KEY": "openai",
}


def announcement(planned: PlannedCalls, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines to print before anything is asked; none where nothing needs saying."""
    if planned.calls:
        stored = planned.sessions - planned.unjudged
        judges = ", ".join(planned.judges)
        sessions, calls = counted(planned.unjudged, "session"), counted(_calls(planned), "call")
        most = "at most " if planned.at_most else ""
        if planned.canaries:
            sessions += f" and {counted(planned.canaries, 'canary session')}"
        from_store = f"({stored:,} from store)"
        yield f"judging {most}{sessions}: {most}{calls} to {judges} {from_store}{_price(planned)}"
        if planned.unredacted:
            yield f"--sessioneval-redact off: sessions go to {judges} as they are, secrets included"
    elif planned.embedded:
        for name, prefix in _KEYS.items():
            if environ.get(name):
                yield (
                    f"{name} is set, but the embedded judge asks no model; "
                    f"to ask one: --sessioneval-judge {prefix}:MODEL"
                )
                return


def samples_hint(plan: Plan) -> Iterator[str]:
    """Yield a line for each suite of samples that nobody said to score by their metrics."""
    for each in plan.suites:
        suite = each.suite
        sources = {planned.member.session.summary.source for planned in each.sessions}
        if suite.file is None and suite.rubric.name == "agent" and sources == {"samples"}:
            yield (
                f"{suite.name} holds samples of retrieval-augmented answers, judged as an agent's "
                "work; by the metrics made for them: --sessioneval-rubric rag"
            )


def estimate_lines(planned: PlannedCalls) -> Iterator[str]:
    """Yield what judging would take, and that nothing was judged."""
    stored = planned.sessions - planned.unjudged
    head = f"estimate: {counted(planned.sessions, 'session')}, {stored:,} from store"
    estimate = planned.estimate
    if estimate is None:
        yield f"{head}; nobody would be asked"
    else:
        most = "at most " if planned.at_most else ""
        calls = f"{most}{counted(_calls(planned), 'call')} to {', '.join(planned.judges)}"
        yield f"{head}; {planned.unjudged:,} to judge: {calls}"
        tokens = f"about {estimate.input_tokens:,.0f} tokens in, {estimate.output_tokens:,.0f} out"
        yield f"{tokens}{_price(planned) or ', of unknown price (--sessioneval-prices FILE)'}"
        yield "without retries and repairs, and as if nothing were read from a provider's cache"
    yield "nothing was judged, no test run and no gate decided: leave --sessioneval-estimate out"


def _calls(planned: PlannedCalls) -> int:
    """Return the requests, with those that read parts of long sessions."""
    likely = 0 if planned.estimate is None else round(planned.estimate.calls)
    return max(planned.calls, likely)


def _price(planned: PlannedCalls) -> str:
    """Return ``, about $0.41``; empty where no price is known."""
    estimate = planned.estimate
    if estimate is None or estimate.unpriced_calls >= estimate.calls:
        return ""
    unknown = f" and {counted(round(estimate.unpriced_calls), 'call')} of unknown price"
    return f", about {dollars(estimate.cost_usd)}{unknown if estimate.unpriced_calls else ''}"
