"""The ``sessioneval`` command: judging without pytest, and what is done beside judging.

Exit status: 0, done; 2, what was asked for cannot be done as asked (what
``pytest`` ends with 4 for); 1, it could not be finished, or ``compare`` or ``score`` says
that the merge is stopped. What is wrong is one line on standard error. Each
command imports what it needs when it runs, so that ``--help`` and ``--version``
load nothing.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from pytest_sessioneval import __version__
from pytest_sessioneval.cli.advise_command import advise
from pytest_sessioneval.cli.feedback_commands import feedback
from pytest_sessioneval.cli.folders import out_folder
from pytest_sessioneval.cli.judge_commands import (
    calibrate,
    canaries,
    judge_check,
    judge_noise,
    rejudge,
)
from pytest_sessioneval.cli.label_commands import label, label_queue
from pytest_sessioneval.cli.parity_command import ragas_parity
from pytest_sessioneval.cli.score_command import score
from pytest_sessioneval.cli.serve_command import serve
from pytest_sessioneval.cli.store_commands import (
    export_store,
    import_store,
    runs,
    sessions,
    show_session,
    stats,
)
from pytest_sessioneval.errors import SessionEvalError, UsageError

__all__ = ["main", "program"]


def main() -> None:
    """Run the command that the command line asks for; the console script's entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names of strangers' files and tools must not end a command on an ASCII terminal.
            stream.reconfigure(errors="backslashreplace")
    program()


_OF_PYTEST = ("store", "out")
"""Options of pytest that commands have by a shorter name, as far as errors name them."""


class _Failure(click.ClickException):
    """An error as it is shown: in its own words, with the command's name before it."""

    def show(self, file: Any = None) -> None:
        """Print the message to standard error."""
        from pytest_sessioneval.reports.neutralise import clean  # noqa: PLC0415

        said = self.message
        for option in _OF_PYTEST:
            said = said.replace(f"--sessioneval-{option}", f"--{option}")
        click.echo(f"sessioneval: {clean(said)}", file=file, err=True)


class _Refusal(_Failure):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class _Program(click.Group):
    """The one place where errors become exit statuses."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises ``click.ClickException`` for every error that was foreseen."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise _Refusal(str(error)) from None
        except SessionEvalError as error:
            raise _Failure(str(error)) from None
        except BrokenPipeError:  # the reader of our output has seen enough: click ends quietly
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise _Failure(f"{where}{error.strerror or error}") from None


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pytest-sessioneval", message="%(prog)s %(version)s")
def program() -> None:
    """Make recorded agent sessions a test suite, and look after it.

    Sessions are judged by pytest: `pytest --sessioneval FOLDER`, or without it by
    `score`. The other commands are what belongs around that.
    """


@program.command()
@click.argument("path")
@click.option("--force", is_flag=True, help="Replace a suite file that is there already.")
def init(path: str, *, force: bool) -> None:
    """Make the folder PATH a suite.

    Looks at the sessions in it, says what was recognised and writes
    PATH/sessioneval.toml with settings that fit. Then `pytest PATH` judges them.
    """
    from pytest_sessioneval.cli.init import make_suite  # noqa: PLC0415

    for line in make_suite(path, force=force):
        click.echo(line)


@program.command()
@click.argument("what", type=click.Choice(["suite", "rubric", "report", "card"]), default="suite")
def schema(what: str) -> None:
    """Print the JSON Schema of a file.

    Of suite files (the default), rubric files, report.json or judge_card.json.
    Draft 2020-12, for editors and other programs.
    """
    import json  # noqa: PLC0415

    from pytest_sessioneval.gate.agreement.card import card_schema  # noqa: PLC0415
    from pytest_sessioneval.reports.model import report_schema  # noqa: PLC0415
    from pytest_sessioneval.suites.schema import rubric_schema, suite_schema  # noqa: PLC0415

    schemas = {
        "suite": suite_schema,
        "rubric": rubric_schema,
        "report": report_schema,
        "card": card_schema,
    }
    click.echo(json.dumps(schemas[what](), indent=2))


@program.command()
@click.argument("name", required=False)
def rubric(name: str | None) -> None:
    """List the built-in rubrics, or print one.

    With NAME, its source: `sessioneval rubric agent > my-rubric.toml` is a copy to
    change.
    """
    from pathlib import Path  # noqa: PLC0415

    from pytest_sessioneval.suites.rubric import (  # noqa: PLC0415
        builtin_rubrics,
        load_rubric,
        rubric_source,
    )

    if name is not None:
        click.echo(rubric_source(name).encode(), nl=False)
        return
    for known in builtin_rubrics():
        found = load_rubric(known, base=Path())
        click.echo(f"{known} (version {found.version}): {', '.join(found.axis_names)}")


_OUT_HELP = "The folder with runs/; default: the nearest .sessioneval."


@program.command()
@click.argument("before")
@click.argument("after")
@click.option("--suite", metavar="DIR", help="The suite whose [gate] decides, and that git: reads.")
@click.option(
    "--axis",
    "axes",
    multiple=True,
    metavar="NAME[:MARGIN]",
    help="An axis that decides, and the drop in points that is tolerated; repeatable.",
)
@click.option("--common", is_flag=True, help="Compare the sessions that both have, no others.")
@click.option("--unpaired", is_flag=True, help="Compare two groups of different sessions.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
@click.option("--store", "url", metavar="URL", help="Where people's labels are; see label import.")
@click.option("--out", metavar="DIR", help=_OUT_HELP)
@click.pass_context
def compare(
    ctx: click.Context,
    before: str,
    after: str,
    *,
    suite: str | None,
    axes: tuple[str, ...],
    common: bool,
    unpaired: bool,
    as_json: bool,
    url: str | None,
    out: str | None,
) -> None:
    """Decide whether AFTER got worse than BEFORE, as the gate does.

    Each is a baseline file, a report.json, the id of a run, or git:REF for the
    baseline of that revision. Exit status 0: the merge may go ahead; 1: it is
    stopped; 2: they cannot be compared as asked.
    """
    import json  # noqa: PLC0415

    from pytest_sessioneval.cli.compare import compare_scores, decision_lines  # noqa: PLC0415
    from pytest_sessioneval.cli.labels import stored_people  # noqa: PLC0415

    folder = out_folder(out)
    decision = compare_scores(
        before,
        after,
        folder=suite,
        axes=axes,
        common=common,
        unpaired=unpaired,
        out=folder,
        people=stored_people(url, home=folder),
    )
    if as_json:
        click.echo(json.dumps(decision.model_dump(mode="json"), indent=2))
    else:
        for line in decision_lines(decision):
            click.echo(line)
    ctx.exit(1 if decision.blocks else 0)


@program.group()
def baseline() -> None:
    """Look at a suite's baseline, pin it, or score it again.

    Baselines are written by pytest: `pytest DIR --sessioneval-update-baseline`.
    """


@baseline.command()
@click.argument("folder", metavar="[DIR]", default=".")
def show(folder: str) -> None:
    """Print what the suite's baseline and its anchor hold."""
    from pytest_sessioneval.cli.baseline import show as lines_of  # noqa: PLC0415

    for line in lines_of(folder):
        click.echo(line)


@baseline.command()
@click.argument("folder", metavar="[DIR]", default=".")
def anchor(folder: str) -> None:
    """Pin the suite's baseline: runs must hold against it from now on, too.

    Writes baseline.anchor.json beside it and prints what moved. Nothing else
    ever moves the anchor: many small drops, each within its margin, cannot.
    """
    from pytest_sessioneval.cli.baseline import pin  # noqa: PLC0415

    for line in pin(folder):
        click.echo(line)


@program.command()
@click.argument("report")
@click.option("--links", metavar="URL", help="Link transcripts under this URL, such as a commit's.")
@click.option("--name", default="report", help="Tells several comments on one pull request apart.")
@click.option("--out", metavar="DIR", help=_OUT_HELP)
def comment(report: str, *, links: str | None, name: str, out: str | None) -> None:
    """Print a pull-request comment of REPORT, a report.json or the id of a run.

    Its first line is a hidden marker by which a workflow finds the comment again.
    """
    from pytest_sessioneval.cli.comment import comment_body  # noqa: PLC0415

    click.echo(comment_body(report, links=links, name=name, out=out_folder(out)), nl=False)


for command in (
    *(advise, calibrate, feedback, judge_check, judge_noise, label, label_queue),
    *(export_store, import_store, ragas_parity, runs, score, serve, sessions, show_session, stats),
):
    program.add_command(command)
for command in (canaries, rejudge):
    baseline.add_command(command)
