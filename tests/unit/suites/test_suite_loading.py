"""A suite is read and checked as a whole, before anything is paid for."""

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.discovery import SUITE_FILE, find_suite_file
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import Suite, SuiteFile
from pytest_sessioneval.suites.rubric import load_rubric

OPENAI = "[judge]\nmodel = 'openai:m'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder called ``airline``."""
    folder = tmp_path / "airline"
    folder.mkdir()
    return folder


def load(folder: Path, source: str) -> Suite:
    """Return the suite that a file of this text describes."""
    (folder / SUITE_FILE).write_text(source, "utf-8")
    return load_suite(folder)


def refusal(folder: Path, source: str) -> str:
    """Return why a suite file of this text is refused, without the folder's name."""
    with pytest.raises(SuiteError) as caught:
        load(folder, source)
    return str(caught.value).replace(f"{folder}/{SUITE_FILE}:", "").replace(f"{folder}/", "")


def test_the_suite_file_of_the_specification_is_accepted(folder: Path) -> None:
    """Every key that the design names is read, with the value that is written."""
    (folder / "profiles").mkdir()
    (folder / "profiles" / "airline.md").write_text("You book flights.", "utf-8")
    (folder / "feedback").mkdir()
    (folder / "feedback" / "a.jsonl").write_text(
        '{"session_id": "s", "message_index": 3, "rating": -1}\n', "utf-8"
    )
    source = """\
[suite]
name = "Airline"
sessions = ["transcripts/**/*.json"]
key = "task_id"
cluster = "task_id"
rubric = "agent"
feedback = ["feedback/*.jsonl"]
use_outcome = false

[profiles]
default = "profiles/airline.md"

[judge]
model = "openai:m"
repeats = 1
baseline_repeats = 3
show_feedback = false
[[judge.experts]]
id = "outcome"
instruction = "Look."
model = "anthropic:n"
axes = ["goal_completion", "task_complexity", "tool_usage_quality"]

[[expect]]
session = "task-3"
must_call = [{ tool = "refund", args = { order = "W12" } }]
must_not_call = ["transfer_to_human"]
final_matches = "refund"

[thresholds.session]
tool_usage_quality = 40
[thresholds.mean]
tool_usage_quality = 70

[gate]
baseline = "baseline.json"
axes = ["goal_completion", "tool_usage_quality"]
on_inconclusive = "auto"
on_missing_baseline = "fail"
break = 40
strict = false
sequential = "off"
min_pairs = 20
[gate.margins]
default = 5
goal_completion = 3
"""
    suite = load(folder, source)
    gate = suite.settings.gate
    assert gate is not None
    assert ("Airline", folder, folder / SUITE_FILE) == (suite.name, suite.root, suite.file)
    assert suite.profiles == {"default": "You book flights."}
    assert [(f.session_id, f.message_index, f.rating) for f in suite.feedback] == [("s", 3, -1)]
    assert suite.settings.expect[0].must_not_call[0].tool == "transfer_to_human"
    assert suite.settings.expect[0].must_call[0].args == {"order": "W12"}
    assert (gate.break_, gate.margins) == (40, {"default": 5, "goal_completion": 3})
    assert suite.settings.thresholds.mean == {"tool_usage_quality": 70}


def test_an_empty_file_gives_every_default(folder: Path) -> None:
    """The suite is called like its folder, uses the rubric ``agent``, and has no gate."""
    suite = load(folder, "")
    assert ("airline", "agent", SuiteFile()) == (suite.name, suite.rubric.name, suite.settings)


def test_a_bare_folder_has_a_default_suite(folder: Path) -> None:
    """Nothing is read from a suite file, and the suite is called like its folder."""
    suite = default_suite(folder)
    assert ("airline", None, SuiteFile(), "agent") == (
        suite.name,
        suite.file,
        suite.settings,
        suite.rubric.name,
    )


def test_only_the_folders_own_file_is_found(folder: Path) -> None:
    """Parents are not searched, and a directory of that name is no suite file."""
    (folder.parent / SUITE_FILE).write_text("")
    assert find_suite_file(folder) is None
    (folder / SUITE_FILE).mkdir()
    assert find_suite_file(folder) is None
    assert folder.parent / SUITE_FILE == find_suite_file(folder.parent)


def test_a_folder_without_a_file_says_what_to_do(folder: Path) -> None:
    """Both ways on are named with their command."""
    with pytest.raises(SuiteError) as caught:
        load_suite(folder)
    assert (
        f"there is no sessioneval.toml in {folder}: write one with `sessioneval init {folder}`, or"
        f" judge the folder without one with `pytest --sessioneval {folder}`"
    ) == str(caught.value)


def test_a_file_elsewhere_names_paths_of_the_folder(folder: Path) -> None:
    """The file may lie anywhere when the caller names it; its paths belong to the folder."""
    (folder / "p.md").write_text("text", "utf-8")
    other = folder.parent / "other.toml"
    other.write_text("[profiles]\ndefault = 'p.md'\n", "utf-8")
    suite = load_suite(folder, other)
    assert ({"default": "text"}, other) == (suite.profiles, suite.file)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "[thresholds.session]\ngoal_competion = 40\n",
            (
                "2: 'goal_competion' is no axis of rubric agent (did you mean 'goal_completion'?);"
                " accepted: task_complexity, goal_completion, tool_usage_quality, efficiency,"
                " communication, subagent_orchestration, self_extension"
            ),
        ),
        (
            "[thresholds.mean]\n\ntask_complexity = 40\n",
            (
                "3: 'task_complexity' describes a session and is not good or bad: cannot have a"
                " threshold"
            ),
        ),
        (
            "[gate]\naxes = [\n 'efficiency',\n 'task_complexity']\n",
            "4: 'task_complexity' describes a session and is not good or bad: cannot be gated",
        ),
        (
            "[gate]\nstrict = true\n",
            (
                "1: [gate] needs axes to decide on; accepted: goal_completion, tool_usage_quality,"
                " efficiency, communication, subagent_orchestration, self_extension"
            ),
        ),
        ("[gate]\naxes = ['efficiency', 'efficiency']\n", "2: gate.axes has 'efficiency' twice"),
        (
            "[gate]\naxes = ['efficiency']\n[gate.margins]\ncommunication = 3\n",
            "4: 'communication' has a margin and is not gated: add it to gate.axes, or remove it",
        ),
        (
            OPENAI + "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\naxes = ['efficiency']\n"
            "[thresholds.session]\nefficiency = 40\ncommunication = 40\n",
            "9: 'communication' cannot have a threshold: none of [[judge.experts]] answers it",
        ),
        (
            OPENAI + "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\naxes = []\n",
            (
                "6: expert 'a' answers no axis; accepted: task_complexity, goal_completion,"
                " tool_usage_quality, efficiency, communication, subagent_orchestration,"
                " self_extension"
            ),
        ),
        (
            "[[expect]]\nfinal_matches = 'a'\n[[expect]]\nfinal_matches = '(a'\n",
            (
                "4: final_matches is no regular expression: missing ), unterminated subpattern at"
                " position 0 (in TOML, write it in 'single quotes')"
            ),
        ),
        (
            "[[expect]]\nfinal_not_matches = '[[a]'\n",
            (
                "2: final_not_matches is no regular expression: Possible nested set at position 1"
                " (in TOML, write it in 'single quotes')"
            ),
        ),
        (
            "\n[[expect]]\nsession = 'a'\n",
            (
                "2: [[expect]] expects nothing; accepted: must_call, must_not_call, final_matches,"
                " final_not_matches, max_messages"
            ),
        ),
        ("[[expect]]\nmust_not_call = ['a', ' ']\n", "2: must_not_call names no tool"),
        (
            "[judge]\nrepeats = 2\n",
            (
                "2: repeats is 2, and the embedded judge always answers the same: name a model"
                " under [judge], or remove repeats"
            ),
        ),
        (
            "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\naxes = ['efficiency']\n",
            (
                "2: expert 'a' would be the embedded judge, which takes no experts: name a model"
                " under [judge] or for this expert, or remove [[judge.experts]]"
            ),
        ),
        (
            OPENAI + "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\nmodel = 'evidence'\n"
            "axes = ['efficiency']\n",
            (
                "6: expert 'a' would be the embedded judge, which takes no experts: name a model"
                " under [judge] or for this expert, or remove [[judge.experts]]"
            ),
        ),
        (
            "[suite]\nrubric = 'agnt'\n",
            (
                "2: there is no rubric 'agnt', neither built in nor as a file (did you mean"
                " 'agent'?); built in: agent, rag"
            ),
        ),
        (
            "[suite]\nrubric = '../r.toml'\n",
            (
                "2: the rubric's path '../r.toml' leads out of the suite's folder; move the file"
                " inside"
            ),
        ),
        (
            "[profiles]\ndefault = '/etc/hostname'\n",
            (
                "2: profiles.default: '/etc/hostname' is absolute; accepted: a path relative to the"
                " suite's folder"
            ),
        ),
        (
            "[profiles]\ndefault = 'p.md'\n",
            "2: p.md: cannot read this profile: No such file or directory",
        ),
        (
            "[gate]\naxes = ['efficiency']\nbaseline = '../b.json'\n",
            "3: gate.baseline: '../b.json' leads out of the suite's folder; move the file inside",
        ),
        (
            "[judge]\nmodel = 'recorded:../replies'\n",
            "2: judge.model: '../replies' leads out of the suite's folder; move the file inside",
        ),
        (
            "[suite]\nsessions = ['a/*.json', '../*.json']\n",
            (
                "2: suite.sessions: '../*.json' leads out of the suite's folder; accepted: a glob"
                " without .."
            ),
        ),
        (
            "[suite]\nfeedback = ['/tmp/*.jsonl']\n",
            (
                "2: suite.feedback: '/tmp/*.jsonl' is absolute; accepted: a glob relative to the"
                " suite's folder"
            ),
        ),
        ("[suite]\nfeedback = ['f.jsonl']\n", "2: there is no feedback file 'f.jsonl'"),
    ],
)
def test_refused_by_line(folder: Path, source: str, message: str) -> None:
    """What single values cannot show is refused with the line of the key that is wrong."""
    assert message == refusal(folder, source)


def test_a_broken_rubric_is_told_by_its_own_line(folder: Path) -> None:
    """The message names the rubric's file, not the suite's."""
    (folder / "r.toml").write_text("name = 'r'\nversion = '1'\naxes = []\n", "utf-8")
    expected = 'r.toml:2: version is the string "1"; accepted: a whole number of at least 1'
    assert expected == refusal(folder, "[suite]\nrubric = 'r.toml'\n")


def test_a_broken_feedback_file_is_told_by_its_own_line(folder: Path) -> None:
    """The message names the feedback file and the line in it."""
    (folder / "f.jsonl").write_text('\n{"session_id": "s"\n', "utf-8")
    message = refusal(folder, "[suite]\nfeedback = ['*.jsonl']\n")
    assert message.startswith("f.jsonl:2: this line is not JSON: ")


def test_a_glob_without_feedback_yet_is_accepted(folder: Path) -> None:
    """Thumbs may come later."""
    assert load(folder, "[suite]\nfeedback = ['feedback/*.jsonl']\n").feedback == ()


def test_later_feedback_files_replace_earlier_ones(folder: Path) -> None:
    """Across files too, the last word on a message counts; a file named twice is read once."""
    line = '{{"session_id": "s", "message_index": 1, "rating": {}}}\n'
    (folder / "a.jsonl").write_text(line.format(1), "utf-8")
    (folder / "b.jsonl").write_text(line.format(-1), "utf-8")
    suite = load(folder, "[suite]\nfeedback = ['b.jsonl', 'a.jsonl', '*.jsonl']\n")
    assert [entry.rating for entry in suite.feedback] == [1]


def test_experts_with_models_of_their_own_need_no_judge(folder: Path) -> None:
    """The embedded judge is not asked when every expert names somebody else."""
    source = (
        "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\nmodel = 'hook:mine'\n"
        "axes = ['efficiency']\n"
    )
    assert load(folder, source).settings.judge.experts[0].model == "hook:mine"


def test_the_default_of_baseline_repeats_does_not_disturb_the_embedded_judge(folder: Path) -> None:
    """Only repeats that somebody asked for are refused."""
    assert load(folder, "[judge]\nrepeats = 1\n").settings.judge.baseline_repeats == 3
    assert "2: baseline_repeats is 5, and" in refusal(folder, "[judge]\nbaseline_repeats = 5\n")


def test_what_the_user_says_elsewhere_replaces_the_file(folder: Path) -> None:
    """Judge, repeats and rubric given by the caller are in the suite, and checked in it."""
    (folder / SUITE_FILE).write_text(
        "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\naxes = ['efficiency']\n", "utf-8"
    )
    suite = load_suite(folder, judge="openai:m", repeats=3)
    assert (suite.settings.judge.model, suite.settings.judge.repeats) == ("openai:m", 3)
    assert suite.settings.judge.experts
    rubric = load_rubric("agent", base=folder).model_copy(update={"name": "other"})
    assert default_suite(folder, rubric=rubric).rubric.name == "other"


def test_repeats_of_the_embedded_judge_are_refused_for_a_bare_folder_too(folder: Path) -> None:
    """Without a file there is no line; the reason is the same."""
    with pytest.raises(SuiteError, match=r"^repeats is 2, and the embedded judge always answers"):
        default_suite(folder, repeats=2)


def test_the_rubric_given_by_the_caller_is_the_one_that_axes_are_checked_against(
    folder: Path,
) -> None:
    """A threshold must name an axis of the rubric in use, not of the one in the file."""
    (folder / SUITE_FILE).write_text("[thresholds.session]\nefficiency = 1\n", "utf-8")
    agent = load_rubric("agent", base=folder)
    fewer = agent.model_copy(update={"axes": agent.axes[:2], "experts": ()})
    with pytest.raises(SuiteError, match="'efficiency' is no axis of rubric agent"):
        load_suite(folder, rubric=fewer)


def test_the_root_is_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is taken from the working directory, and its name is kept."""
    monkeypatch.chdir(folder)
    assert (folder, "airline") == (default_suite(Path()).root, default_suite(Path()).name)
