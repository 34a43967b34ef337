"""``sessioneval advise``: the words of its command line."""

from __future__ import annotations

import click

from pytest_sessioneval.cli.folders import out_folder

__all__ = ["advise"]


@click.command()
@click.argument("report", metavar="REPORT")
@click.option("--suite", metavar="NAME", help="Which suite, in a report of several.")
@click.option(
    "--model", metavar="MODEL", help="Have this model say why: openai:…, anthropic:… or ollama:…."
)
@click.option("--max-calls", type=click.IntRange(0), metavar="N", help="Most calls to the model.")
@click.option("--links", metavar="URL", help="Link transcripts under this URL, such as a commit's.")
@click.option("--out", metavar="DIR", help="Where reports lie; default: .sessioneval.")
@click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
def advise(
    report: str,
    *,
    suite: str | None,
    model: str | None,
    max_calls: int | None,
    links: str | None,
    out: str | None,
    url: str | None,
) -> None:
    """Print what to look at first, as Markdown.

    REPORT is a report.json, a run's id, or the folder of a suite, which means
    its latest run. Nobody is asked without --model.
    """
    import os  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from pytest_sessioneval.cli.advise import advice_on  # noqa: PLC0415
    from pytest_sessioneval.cli.store import named_store  # noqa: PLC0415
    from pytest_sessioneval.evaluation.advisor import AdvisorTerms  # noqa: PLC0415

    terms = AdvisorTerms(model=model, environ=os.environ, max_calls=max_calls) if model else None
    folder = out_folder(out)
    with named_store(url, home=folder) as store:
        text = advice_on(
            report,
            suite=suite,
            terms=terms,
            links=links,
            out=folder,
            store=store,
            now=datetime.now(UTC),
        )
    click.echo(text, nl=False)
