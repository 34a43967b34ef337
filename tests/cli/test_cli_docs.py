"""What the pages say of the command and of the workflow is so: options exist, the script runs."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from gating_cases import STEADY, judged, write_suite, written_report

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.commenting import comment_marker
from pytest_sessioneval.shell.options import OPTIONS
from pytest_sessioneval.suites.rubric import rubric_source

DOCS = Path(__file__).resolve().parents[2] / "docs"
CLI = (DOCS / "cli.md").read_text("utf-8")
RUBRICS = (DOCS / "rubrics.md").read_text("utf-8")
WORKFLOW = (DOCS / "ci-github-actions.md").read_text("utf-8")
SCRIPTS = sysconfig.get_path("scripts")


def commands(
    group: click.Group = program, name: str = "sessioneval"
) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name, those of groups included."""
    for word, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


@pytest.mark.parametrize(("name", "command"), [*commands()], ids=str)
def test_the_page_has_each_command_with_its_options(name: str, command: click.Command) -> None:
    """One section per command; every option of it stands there."""
    sections = re.findall(rf"^## `{name}\b.*?(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert 1 == len(sections)
    flags = [flag for parameter in command.params for flag in parameter.opts if flag[:2] == "--"]
    assert [] == [flag for flag in flags if f"`{flag}" not in sections[0]]


@pytest.mark.parametrize("page", ["cli.md", "gate.md", "ci-github-actions.md"])
def test_the_pages_name_options_that_exist(page: str) -> None:
    """Of pytest and of the command."""
    text = (DOCS / page).read_text("utf-8")
    known = {option.flag for option in OPTIONS}
    known |= {flag for _, command in commands() for each in command.params for flag in each.opts}
    named = set(re.findall(r"`(--[a-z-]+[a-z])|(--sessioneval-[a-z-]+[a-z])", text))
    flags = {flag for pair in named for flag in pair if flag}
    assert set() == flags - known - {"--version"}


def test_the_command_that_copies_the_rubric_works() -> None:
    """It prints the built-in rubric as it is."""
    (arguments,) = re.findall(r"^\$ sessioneval (.*) > my-rubric.toml$", RUBRICS, re.MULTILINE)
    done = CliRunner().invoke(program, arguments.split(), catch_exceptions=False)
    assert rubric_source("agent").encode() == done.stdout_bytes


# -- the workflow --------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A folder in which the workflow's last step runs, with a gh that writes down its calls."""

    folder: Path

    def comment(self, *, existing: str = "") -> list[str]:
        """Run the step; return what gh was called with, the look-up first."""
        step = WORKFLOW.partition("- name: Comment on the pull request")[2].partition("```")[0]
        script = textwrap.dedent(step.partition("run: |\n")[2])
        calls = self.folder / "calls"
        calls.unlink(missing_ok=True)
        gh = self.folder / "bin" / "gh"
        gh.parent.mkdir(exist_ok=True)
        gh.write_text(
            '#!/bin/sh\necho "$@" >> "$CALLS"\n[ "$2" = --paginate ] && echo "$EXISTING"\nexit 0\n'
        )
        gh.chmod(0o755)
        subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.folder,
            env={
                "PATH": f"{gh.parent}:{SCRIPTS}:{os.environ['PATH']}",
                "CALLS": str(calls),
                "EXISTING": existing,
                "GITHUB_REPOSITORY": "someone/agent",
                "PULL": "7",
                "LINKS": "https://github.example/someone/agent/blob/abc",
            },
            check=True,
        )
        return calls.read_text("utf-8").splitlines() if calls.exists() else []


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job in which pytest has written report.json."""
    suite = write_suite(tmp_path / "suite", STEADY)
    written_report(judged(suite), tmp_path / "report.json")
    return Job(tmp_path)


def test_the_first_run_comments(job: Job) -> None:
    """The look-up asks for our marker; the body is the report, with links to the commit."""
    look_up, made = job.comment()
    assert f'startswith("{comment_marker()}")' in look_up
    assert "repos/someone/agent/issues/7/comments" in look_up
    assert "pr comment 7 --body-file comment.md" == made
    body = (job.folder / "comment.md").read_text("utf-8")
    assert body.startswith(f"{comment_marker()}\n")
    assert "https://github.example/someone/agent/blob/abc/sessions.json" in body


def test_later_runs_update_the_comment(job: Job) -> None:
    """In place, whatever else is on the pull request."""
    _, made = job.comment(existing="4711")
    assert made == (
        "api --silent --method PATCH repos/someone/agent/issues/comments/4711 -F body=@comment.md"
    )


def test_without_a_report_nothing_is_said(tmp_path: Path) -> None:
    """Where pytest refused to begin there is nothing to show, and the job is red already."""
    assert [] == Job(tmp_path).comment()
