"""``sessioneval serve``: the words of its command line."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["serve"]


@click.command()
@click.argument("folders", metavar="[FOLDER...]", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port; 0: any that is free.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A further name by which clients call this server; repeatable.",
)
@click.option("--no-token", is_flag=True, help="Ask nobody for a token; on loopback only.")
@click.option(
    "--judge",
    metavar="MODEL",
    help="Who judges, in the words of [judge] model; default: SESSIONEVAL_JUDGE, the suites'.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    metavar="N",
    help="Most requests to judges at a time, of all runs together.",
)
@click.option(
    "--embedding-model",
    metavar="NAME",
    help="What compares texts where a scoring call does not say; or SESSIONEVAL_EMBEDDING_MODEL.",
)
@click.option(
    "--scoring-workers",
    type=click.IntRange(1, 100),
    default=4,
    show_default=True,
    metavar="N",
    help="Most samples of /api/score that are scored at a time.",
)
@click.option(
    "--max-calls", type=click.IntRange(0), metavar="N", help="Most requests to judges in all."
)
@click.option(
    "--max-cost",
    type=click.FloatRange(0),
    metavar="DOLLARS",
    help="Most US dollars for judges in all; a judge whose price is not known is then not asked.",
)
@click.option("--out", metavar="DIR", help="Where reports are written; default: .sessioneval.")
@click.option(
    "--store", "url", metavar="URL", help="The store; default: that of runs started here."
)
def serve(**asked: Any) -> None:
    """Serve the sessions in FOLDERs, and those posted, over HTTP.

    Each FOLDER is a suite, with or without a suite file; what changes in it is
    read again. Callers show the token in SESSIONEVAL_TOKEN, or the one that is
    made and printed at start. Ctrl-C ends it.
    """
    from pytest_sessioneval.cli.serve import ServeRequest, run_server  # noqa: PLC0415

    run_server(ServeRequest(**asked))
