"""What the documents show is so: commands run, output is real, snippets load, links lead on."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inner_runs import LEAN

import pytest_sessioneval
from pytest_sessioneval.shell.options import OPTIONS
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.testing import JudgeServer

Runner = Callable[[str], tuple[int, str]]

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")
PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "example_suites").rglob("README.md"),
    ]
)
COMMAND_PAGES = [
    page
    for page in PAGES
    if page.name in {"README.md", "CONTRIBUTING.md", "first-run.md", "known-limitations.md"}
]
OURS = ("SESSIONEVAL_", "OPENAI_", "ANTHROPIC_", "OLLAMA_", "PYTEST_", "GITHUB_")
SET_UP = {"python3", ".venv/bin/pip", ".venv/bin/ruff", ".venv/bin/mypy", "export"}
"""Programs of which the documents' use is checked by shape and not run: they need a network."""
OWN_TESTS = "-n 2 --dist worksteal"
"""How this project's tests are run, these among them."""
PLANNED: set[str] = set()
"""Options that a page names as missing."""


def commands(page: Path) -> Iterator[str]:
    """Yield the commands of the page's console blocks, one each of what ``&&`` joins."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            assert line.startswith("$ "), f"{page}: {line!r} is no command; output is text"
            yield from line.removeprefix("$ ").split(" && ")


ALL_COMMANDS = sorted({command for page in COMMAND_PAGES for command in commands(page)})


def pytest_arguments(command: str) -> list[str]:
    """Return what a pytest command is given; nothing for other programs."""
    program, *arguments = shlex.split(command)
    return arguments if Path(program).name == "pytest" else []


PYTEST_RUNS = sorted(
    {shlex.join(words) for c in ALL_COMMANDS if (words := pytest_arguments(c))} - {OWN_TESTS}
)


def blocks(language: str) -> list[str]:
    """Return README's code blocks in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run_pytest(arguments: list[str], folder: Path, **extra: str) -> tuple[int, str]:
    """Return exit status and output of pytest in the folder, 80 columns wide."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ | {"COLUMNS": "80", "PYTEST_ADDOPTS": LEAN} | extra,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def ran(ground: Path) -> Runner:
    """Return what runs pytest on fresh ground, and each command once."""
    known: dict[str, tuple[int, str]] = {}

    def run(arguments: str) -> tuple[int, str]:
        if arguments not in known:
            shutil.rmtree(ground / ".sessioneval", ignore_errors=True)
            words = shlex.split(arguments)
            # As on the page: the folder is a suite only after a suite file was put there.
            if "path/to/transcripts" in words and "--sessioneval" not in words:
                words = ["--sessioneval", *words]
            with JudgeServer() as server:
                environ = server.environ if "openai:" in arguments else {}
                known[arguments] = run_pytest(words, ground, **environ)
        return known[arguments]

    return run


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like a clone, as far as the commands go, with somebody's transcripts."""
    folder = tmp_path_factory.mktemp("ground")
    shutil.copytree(REPOSITORY / "example_suites", folder / "example_suites")
    sessions = REPOSITORY / "example_suites" / "quickstart" / "sessions"
    shutil.copytree(sessions, folder / "path" / "to" / "transcripts")
    # pytest's settings in a clone are the project's: they must hold without its tests, too.
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


# -- commands ------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", PYTEST_RUNS)
def test_a_pytest_command_ends_as_its_page_says(ran: Runner, arguments: str) -> None:
    """It judges sessions; only the worsened suite fails. A model is a loopback server."""
    status, said = ran(arguments)
    assert (1 if "example_suites/regression" in arguments else 0) == status, said
    assert "session scores: " in said


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_the_tests_are_run_alike_everywhere(page: str) -> None:
    """What a newcomer is told is what is run before a merge."""
    text = (REPOSITORY / page).read_text("utf-8")
    assert re.search(rf"/bin/pytest\"? {OWN_TESTS}\b", text)


def test_every_other_command_is_known() -> None:
    """What is not run here is setting up, checking, or comparing files that are there."""
    others = [shlex.split(command) for command in ALL_COMMANDS if not pytest_arguments(command)]
    unknown = [
        words
        for words in others
        if words[0] not in SET_UP | {"diff"} and Path(words[0]).name != "pytest"
    ]
    assert [] == unknown
    compared = [word for words in others if words[0] == "diff" for word in words[1:]]
    assert [] == [path for path in compared if not (REPOSITORY / path).is_file()]


def test_the_extras_that_pip_is_asked_for_are_there() -> None:
    """``pip install -e '.[test]'`` names an extra of the project."""
    named = {name for command in ALL_COMMANDS for name in re.findall(r"'\.\[(\w+)\]'", command)}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"test", "lint"} == named
    assert named <= set(project["optional-dependencies"])


def test_options_named_in_the_documents_exist() -> None:
    """Every ``--sessioneval-…`` is an option, but for those said to be planned."""
    named = {
        option
        for page in COMMAND_PAGES
        for option in re.findall(r"--sessioneval-[a-z-]+[a-z]", page.read_text("utf-8"))
    }
    known = {option.flag for option in OPTIONS}
    assert PLANNED == named - known


# -- output --------------------------------------------------------------------------


def test_the_readme_shows_what_the_quickstart_prints(ran: Runner) -> None:
    """The first block is the end of a real run; only its time and its folder differ."""
    _, said = ran("example_suites/quickstart")
    end = re.search(r"^=+ session scores: quickstart =+$.*", said, re.MULTILINE | re.DOTALL)
    assert end is not None, said
    assert _timeless(end[0]) == _timeless(blocks("text")[0])


def test_the_readme_shows_a_failure_as_it_is_printed(ran: Runner) -> None:
    """The second block stands in the output of the worsened suite."""
    _, said = ran("example_suites/regression")
    assert blocks("text")[1].strip() in said


def _timeless(text: str) -> str:
    """Return the text without what differs from run to run."""
    text = re.sub(r"runs/\d{8}-\d{6}-[0-9a-f]{6}/", "runs/RUN/", text)
    return re.sub(r"=+ (.*) in [0-9.]+s =+", r"\1", text).strip()


# -- snippets ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        source
        for page in COMMAND_PAGES
        for source in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    ],
)
def test_suite_snippets_load(tmp_path: Path, source: str) -> None:
    """What is printed is accepted when it is copied."""
    (tmp_path / "sessioneval.toml").write_text(source, "utf-8")
    assert tmp_path == load_suite(tmp_path).root


def test_the_fixture_snippet_passes(tmp_path: Path) -> None:
    """The ordinary test in README passes for an agent that looks before it answers."""
    (snippet,) = blocks("python")
    (tmp_path / "test_agent.py").write_text(snippet, "utf-8")
    (tmp_path / "my_agent.py").write_text(AGENT, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    status, said = run_pytest(["-q"], tmp_path)
    assert 0 == status, said
    assert "1 passed" in said


AGENT = '''
def answer(question):
    """Return the messages of a session in which an order is looked up."""
    call = {"name": "find_order", "arguments": '{"order": "W12"}'}
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "c1", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"status": "shipped on Monday"}'},
        {"role": "assistant", "content": "Your order W12 was shipped on Monday."},
    ]
'''


# -- pages ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository names one, and every anchor a heading of it."""
    dead = [
        link
        for link in re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text("utf-8")))
        if not link.startswith(("https://", "http://")) and not _leads(page, link)
    ]
    assert [] == dead


@pytest.mark.parametrize(
    ("name", "most"), [("README.md", 150), ("docs/architecture.md", 80), ("CONTRIBUTING.md", 80)]
)
def test_a_page_stays_short(name: str, most: int) -> None:
    """Nobody reads the eighty-first line."""
    assert len((REPOSITORY / name).read_text("utf-8").splitlines()) <= most


def test_the_map_names_every_room() -> None:
    """docs/architecture.md has each folder of the package."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    package = Path(pytest_sessioneval.__file__).parent
    rooms = {init.parent.name for init in package.glob("*/__init__.py")}
    assert rooms != set()
    assert [] == [room for room in sorted(rooms) if f"`{room}/`" not in page]


def test_decisions_are_numbered_once() -> None:
    """NNNN-title.md, each number once, its heading beginning with it."""
    pages = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
    numbers = [page.name.partition("-")[0] for page in pages]
    assert sorted(set(numbers)) == numbers
    assert [] == [
        page.name
        for page, number in zip(pages, numbers, strict=True)
        if not page.read_text("utf-8").startswith(f"# {int(number)}. ")
    ]


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _leads(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page if not path else page.parent / path
    if not target.exists() or not anchor:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
