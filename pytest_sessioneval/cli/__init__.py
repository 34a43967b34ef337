"""The ``sessioneval`` command: what is done beside judging, which is pytest's part.

Exit status: 0, done; 2, what was asked for cannot be done as asked (what
``pytest`` ends with 4 for); 1, it could not be finished. What is wrong is one
line on standard error. Each command imports what it needs when it runs, so that
``--help`` and ``--version`` load nothing.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from pytest_sessioneval import __version__
from pytest_sessioneval.errors import SessionEvalError, UsageError

__all__ = ["main", "program"]


def main() -> None:
    """Run the command that the command line asks for; the console script's entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names of strangers' files and tools must not end a command on an ASCII terminal.
            stream.reconfigure(errors="backslashreplace")
    program()


class _Failure(click.ClickException):
    """An error as it is shown: in its own words, with the command's name before it."""

    def show(self, file: Any = None) -> None:
        """Print the message to standard error."""
        from pytest_sessioneval.reports.neutralise import clean  # noqa: PLC0415

        click.echo(f"sessioneval: {clean(self.message)}", file=file, err=True)


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

    Sessions are judged by pytest: `pytest --sessioneval FOLDER`. These commands
    are what belongs around that.
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
@click.argument("what", type=click.Choice(["suite", "rubric", "report"]), default="suite")
def schema(what: str) -> None:
    """Print the JSON Schema of a file.

    Of suite files (the default), rubric files, or report.json. Draft 2020-12,
    for editors and other programs.
    """
    import json  # noqa: PLC0415

    from pytest_sessioneval.reports.model import report_schema  # noqa: PLC0415
    from pytest_sessioneval.suites.schema import rubric_schema, suite_schema  # noqa: PLC0415

    schemas = {"suite": suite_schema, "rubric": rubric_schema, "report": report_schema}
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
