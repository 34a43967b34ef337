"""``sessioneval init``: what it says, what it writes, and when it writes nothing."""

import json
import os
import re
import resource
import shutil
import subprocess
import sysconfig
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from inner_runs import LEAN

from pytest_sessioneval.cli import program
from pytest_sessioneval.evaluation.reading import TranscriptSource
from pytest_sessioneval.evaluation.scanning import scan
from pytest_sessioneval.suites.expectations import check
from pytest_sessioneval.suites.loading import load_suite
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

COMMAND = str(Path(sysconfig.get_path("scripts")) / "sessioneval")
REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = REPOSITORY / "example_suites" / "quickstart" / "sessions"
PAGE = (REPOSITORY / "docs" / "cli.md").read_text("utf-8")
COUNTED: dict[str, dict[str, Any]] = json.loads(
    (REPOSITORY / "tests" / "golden" / "real_sessions.json").read_text("utf-8")
)
"""What the real files hold, counted without our readers."""
REGISTRY = Registry(builtin_readers())


def init(*arguments: str | Path) -> Result:
    """Return how ``sessioneval init`` ends in this process."""
    return CliRunner().invoke(program, ["init", *map(str, arguments)])


def refused(*arguments: str | Path) -> str:
    """Return the one line that says why nothing was done; exit 2, nothing on standard output."""
    done = init(*arguments)
    assert (2, "") == (done.exit_code, done.stdout), done.output
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two sessions in it."""
    for name in ("first", "second"):
        said = [
            {"role": "user", "content": f"Tell me about the {name}"},
            {"role": "assistant", "content": f"The {name} is fine."},
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(said), "utf-8")
    return tmp_path


# -- real sessions -------------------------------------------------------------------


@pytest.fixture(scope="module", params=["tau-bench", "tau2-bench", "claude-code"])
def real(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Result]:
    """Return a copy of a folder of real sessions, and how ``init`` of it ended."""
    name: str = request.param
    folder = tmp_path_factory.mktemp("real") / name
    shutil.copytree(shared_data / name, folder, copy_function=shutil.copyfile)
    return folder, init(folder)


def total(folder: str, count: str) -> int:
    """Return the sum over the folder's files of a number counted without our readers."""
    values = [file.get(count, 0) for name, file in COUNTED.items() if name.startswith(f"{folder}/")]
    return sum(sum(value.values()) if isinstance(value, dict) else value for value in values)


def test_it_says_what_the_real_sessions_hold(real: tuple[Path, Result]) -> None:
    """Sessions, messages, calls and sub-agents are those that an independent count found."""
    folder, done = real
    name = folder.name
    sessions = total(name, "sessions")
    files = sum("sessions" in file for path, file in COUNTED.items() if path.startswith(f"{name}/"))
    calls = total(name, "tool_calls") + total(name, "subagent_tool_calls")
    agents = f", {total(name, 'subagents')} sub-agents" if total(name, "subagents") else ""
    assert [
        f"{folder}: {sessions} sessions in {files} files ({sessions} {name})",
        f"  {total(name, 'messages'):,} messages, {calls} tool calls{agents}",
    ] == done.stdout.splitlines()[:2]


def test_it_ends_with_the_command_to_run(real: tuple[Path, Result]) -> None:
    """Exit 0; the last line can be copied."""
    folder, done = real
    assert 0 == done.exit_code
    assert f"to judge the sessions: pytest {folder}" == done.stdout.splitlines()[-1]


def test_the_suite_has_the_same_sessions_with_the_file(real: tuple[Path, Result]) -> None:
    """What was written loads, and changes nothing about which sessions there are."""
    folder, _ = real
    found = scan(load_suite(folder), registry=REGISTRY, store=None)
    assert total(folder.name, "sessions") == len(found.members)


def test_the_example_holds(real: tuple[Path, Result]) -> None:
    """The expectation that is shown, switched on, is met by the real session it names."""
    folder, _ = real
    file = folder / "sessioneval.toml"
    text = file.read_text("utf-8")
    (example,) = re.findall(r"^#\[\[expect\]\]\n(?:#\S.*\n)+", text, re.MULTILINE)
    file.write_text(text.replace(example, example.replace("#", "")), "utf-8")
    try:
        suite = load_suite(folder)
        found = scan(suite, registry=REGISTRY, store=None)
    finally:
        file.write_text(text, "utf-8")
    (expectation,) = suite.settings.expect
    (member,) = (each for each in found.members if each.session.key == expectation.session)
    checks = check(expectation, TranscriptSource(REGISTRY).load(member))
    assert {"must_call", "must_not_call"} == {each.kind for each in checks if each.held}
    assert all(each.held for each in checks)


def test_skipped_lines_and_unknown_records_are_told(real: tuple[Path, Result]) -> None:
    """As many as were counted independently, where there are any."""
    folder, done = real
    for count, words in (("skipped", "lines skipped"), ("unknown", "records of unknown kinds")):
        number = total(folder.name, count)
        assert (f"  {number} {words}" in done.stdout) == bool(number)


def test_tasks_and_outcomes_are_told(shared_data: Path, tmp_path: Path) -> None:
    """Tasks and rewards, counted again from the raw files."""
    folder = tmp_path / "tau-bench"
    shutil.copytree(shared_data / "tau-bench", folder, copy_function=shutil.copyfile)
    done = init(folder)
    results = [
        result
        for file in sorted(folder.glob("*.json"))
        for result in json.loads(file.read_text("utf-8"))
    ]
    tasks = Counter(result["task_id"] for result in results)
    repeated = sum(count > 1 for count in tasks.values())
    rewards = Counter({0: "failed", 1: "succeeded"}.get(r["reward"], "partial") for r in results)
    told = ", ".join(f"{count} {word}" for word, count in rewards.most_common())
    assert [
        f"  {len(tasks)} tasks, {repeated} of them attempted more than once",
        f"  recorded outcomes (reward): {told}",
    ] == done.stdout.splitlines()[2:4]


def test_a_session_that_cannot_be_read_is_told(real: tuple[Path, Result]) -> None:
    """The one recording without words is named with its reason."""
    folder, done = real
    errors = total(folder.name, "ticks") > 0
    assert ("  1 cannot be read and will be an error:" in done.stdout) == errors
    assert ("none of its 973 ticks holds words or calls" in done.stdout) == errors


@pytest.mark.parametrize("name", ["openhands", "who-and-when", "swe-agent", "specstory-md"])
def test_formats_that_no_reader_knows_are_refused(
    shared_data: Path, tmp_path: Path, name: str
) -> None:
    """The line says how many files were looked at; nothing is written."""
    copy = tmp_path / name
    shutil.copytree(shared_data / name, copy, copy_function=shutil.copyfile)
    assert f"{copy}: no session of a known format; found: " in refused(copy)
    assert not (copy / "sessioneval.toml").exists()


# -- what is beside the sessions -----------------------------------------------------


def test_what_holds_no_session_is_named(folder: Path) -> None:
    """package.json is no error, and no longer looked at."""
    (folder / "package.json").write_text('{"name": "x"}', "utf-8")
    assert "  1 file without a session: package.json\n" in init(folder).stdout


def test_copies_are_counted(folder: Path) -> None:
    """Two files of one session are one session."""
    shutil.copy(folder / "first.json", folder / "again.json")
    assert "  1 copy of sessions left out\n" in init(folder).stdout


def test_what_pytest_leaves_out_is_left_out(folder: Path) -> None:
    """Dependencies, virtual environments and hidden folders hold no sessions of the suite."""
    for name in ("node_modules", "venv", ".cache", "env", "dist"):
        (folder / name).mkdir()
        shutil.copy(folder / "first.json", folder / name / f"{name}.json")
    (folder / "env" / "pyvenv.cfg").write_text("", "utf-8")
    first = init(folder).stdout.splitlines()[0]
    assert f"{folder}: 2 sessions in 2 files (2 openai-chat)" == first


def test_a_suite_inside_is_left_alone(folder: Path) -> None:
    """Its sessions are its own, and are not counted twice."""
    inner = folder / "inner"
    inner.mkdir()
    (inner / "sessioneval.toml").write_text("", "utf-8")
    (folder / "first.json").rename(inner / "first.json")
    said = init(folder).stdout
    assert f"{folder}: 1 session in 1 file (1 openai-chat)\n" in said
    assert "  1 suite inside, left alone: inner\n" in said


def test_a_folder_of_suites_is_refused(folder: Path) -> None:
    """The line names the suites: one of them was meant."""
    (folder / "sub").mkdir()
    for name in ("first.json", "second.json"):
        (folder / name).rename(folder / "sub" / name)
    (folder / "sub" / "sessioneval.toml").write_text("", "utf-8")
    assert "found: 1 suite inside (sub)" in refused(folder)


def test_leaving_a_suite_is_told(folder: Path) -> None:
    """A folder of a larger suite stops being part of it."""
    (folder / "sessioneval.toml").write_text("", "utf-8")
    (folder / "part").mkdir()
    (folder / "first.json").rename(folder / "part" / "first.json")
    assert f"  no longer part of the suite in {folder}\n" in init(folder / "part").stdout


def test_nothing_else_is_written(folder: Path) -> None:
    """No store, no cache, no temporary file: the suite file alone."""
    before = {path.name for path in folder.iterdir()}
    init(folder)
    init(folder, "--force")
    assert before | {"sessioneval.toml"} == {path.name for path in folder.iterdir()}


def test_names_of_strangers_cannot_steer_the_terminal(folder: Path) -> None:
    """A file's name is printed without its escape sequences and line breaks."""
    (folder / "x\x1b[2J\nwrote everything.json").write_text("{}", "utf-8")
    said = init(folder).stdout
    assert "\x1b" not in said
    assert "\nwrote everything" not in said


def test_the_next_command_is_quoted_for_the_shell(folder: Path) -> None:
    """A folder with a space in its name can be copied from the last line."""
    spaced = folder / "my sessions"
    spaced.mkdir()
    (folder / "first.json").rename(spaced / "first.json")
    assert f"pytest '{spaced}'" in init(spaced).stdout.splitlines()[-1]


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output in docs/cli.md is that of a real run, on the sessions of the quickstart."""
    shutil.copytree(QUICKSTART, tmp_path / "path" / "to" / "transcripts")
    monkeypatch.chdir(tmp_path)
    section = PAGE.partition("## `sessioneval init PATH`")[2].partition("\n## ")[0]
    (printed,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    assert printed == init("path/to/transcripts").stdout


def test_pytest_judges_what_init_made(folder: Path) -> None:
    """The next command, run as it is printed, passes."""
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = init(folder).stdout.splitlines()[-1].partition(": ")[2].split()
    scripts = Path(sysconfig.get_path("scripts"))
    done = subprocess.run(
        [str(scripts / command[0]), *command[1:], *LEAN.split(), "-p", "no:cacheprovider"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith(("SESSIONEVAL_", "GITHUB_"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"session scores: {folder.name}" in done.stdout


# -- refusals ------------------------------------------------------------------------


def test_a_suite_file_is_not_overwritten(folder: Path) -> None:
    """Somebody's settings stay; the line says what would replace them."""
    (folder / "sessioneval.toml").write_text("# mine\n", "utf-8")
    assert f"{folder}/sessioneval.toml is there already" in refused(folder)
    assert "# mine\n" == (folder / "sessioneval.toml").read_text("utf-8")


def test_force_replaces_it(folder: Path) -> None:
    """Also a file that would not load."""
    (folder / "sessioneval.toml").write_text("[sweet\n", "utf-8")
    assert 0 == init(folder, "--force").exit_code
    assert folder.name == load_suite(folder).name


def test_twice_gives_the_same_file(folder: Path) -> None:
    """What it wrote is none of what it looks at."""
    init(folder)
    once = (folder / "sessioneval.toml").read_text("utf-8")
    init("--force", folder)
    assert once == (folder / "sessioneval.toml").read_text("utf-8")


@pytest.mark.parametrize("dangling", [True, False])
def test_a_link_is_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, *, dangling: bool
) -> None:
    """Refused without --force; with it the link is replaced, and its target stays as it was."""
    target = tmp_path_factory.mktemp("elsewhere") / "target.toml"
    if not dangling:
        target.write_text("# theirs\n", "utf-8")
    (folder / "sessioneval.toml").symlink_to(target)
    assert "is there already" in refused(folder)
    assert 0 == init(folder, "--force").exit_code
    assert not (folder / "sessioneval.toml").is_symlink()
    assert (None if dangling else "# theirs\n") == (
        target.read_text("utf-8") if target.exists() else None
    )


def test_a_folder_in_the_files_place_is_refused(folder: Path) -> None:
    """With or without --force, and nothing is left behind."""
    (folder / "sessioneval.toml").mkdir()
    assert "is there already" in refused(folder)
    assert "sessioneval.toml: cannot be written: Is a directory" in refused(folder, "--force")
    assert [] == [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    """The line names it."""
    missing = tmp_path / "nothing"
    assert f"sessioneval: {missing}: No such file or directory; name a folder" in refused(missing)
    assert not missing.exists()


def test_a_name_too_long_is_refused() -> None:
    """As the system says it."""
    assert "File name too long" in refused("x" * 5000)


def test_a_file_is_refused(folder: Path) -> None:
    """The line has the command that was meant."""
    line = refused(folder / "first.json")
    assert f"first.json is no folder; name the one it is in: sessioneval init {folder}" in line


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A suite without sessions would be an error of every run."""
    assert "no session of a known format; found: no JSON file at all" in refused(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_folder_of_other_json_is_refused(tmp_path: Path) -> None:
    """The files that were looked at are named, the first five of them."""
    for name in "abcdefg":
        (tmp_path / f"{name}.json").write_text("{}", "utf-8")
    line = refused(tmp_path)
    assert "found: 7 JSON files without one (a.json, b.json, c.json, d.json, e.json, …)" in line


def test_a_folder_of_broken_files_is_refused(tmp_path: Path) -> None:
    """The first file is named with line and reason."""
    (tmp_path / "a.json").write_text('{"messages": [\n', "utf-8")
    assert "found: 1 error, the first a.json:" in refused(tmp_path)
    assert not (tmp_path / "sessioneval.toml").exists()


def test_a_full_disk_leaves_nothing_behind(folder: Path) -> None:
    """No bytes may be written: one line, exit 2, and neither the file nor a part of it."""
    before = sorted(folder.iterdir())
    for force in ([], ["--force"]):
        done = subprocess.run(
            [COMMAND, "init", str(folder), *force],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
        assert (2, "") == (done.returncode, done.stdout)
        assert (
            f"sessioneval: {folder}/sessioneval.toml: cannot be written: File too large; "
            "nothing was written\n" == done.stderr
        )
        assert before == sorted(folder.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(folder: Path) -> None:
    """As the system says it, in one line."""
    folder.chmod(0o500)
    try:
        assert "cannot be written: Permission denied" in refused(folder)
    finally:
        folder.chmod(0o700)
