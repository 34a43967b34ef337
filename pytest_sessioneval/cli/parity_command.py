"""``sessioneval ragas-parity``: our metrics beside the library's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_sessioneval.evaluation.parity import Parity

__all__ = ["ragas_parity"]


@click.command("ragas-parity")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--judge",
    metavar="MODEL",
    help="Who judges, for both: openai:MODEL; default: SESSIONEVAL_JUDGE.",
)
@click.option(
    "--embedding-model",
    metavar="NAME",
    help="What compares texts, for both; default: SESSIONEVAL_EMBEDDING_MODEL.",
)
def ragas_parity(path: str, *, judge: str | None, embedding_model: str | None) -> None:
    """Compute the metrics of the samples in FILE with the ragas library, too.

    Needs the extra: pip install 'pytest-sessioneval[ragas]'. Asks the judge for
    both, and keeps nothing; the library's reporting of its use is switched off.
    """
    import os  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from pytest_sessioneval.errors import SettingError  # noqa: PLC0415
    from pytest_sessioneval.evaluation.parity import parity, samples_in  # noqa: PLC0415

    model = judge or os.environ.get("SESSIONEVAL_JUDGE")
    if not model:
        raise SettingError("ragas-parity needs a judge model: name one with --judge openai:MODEL")
    samples = samples_in(Path(path))
    found = parity(
        samples,
        judge_model=model,
        embedding_model=embedding_model or os.environ.get("SESSIONEVAL_EMBEDDING_MODEL") or None,
        environ=os.environ,
    )
    for line in _lines(found, len(samples)):
        click.echo(line)


def _lines(found: Sequence[Parity], samples: int) -> Iterator[str]:
    yield f"{samples} sample{'' if samples == 1 else 's'}, scores 0 to 100"
    yield f"  {'metric':22}{'n':>5}{'ours':>8}{'ragas':>8}{'apart':>8}{'most':>8}  only one scored"
    for row in found:
        means, apart = row.means, row.apart
        numbers = f"{'-':>8}" * 4
        if means is not None and apart is not None:
            numbers = "".join(f"{number:8.1f}" for number in (*means, *apart))
        alone = [
            f"{count} {whose}"
            for count, whose in ((row.only_ours, "ours"), (row.only_theirs, "ragas"))
            if count
        ]
        line = f"  {row.metric:22}{len(row.pairs):5}{numbers}  {', '.join(alone)}"
        yield line.rstrip()
