"""The suite file that is suggested: it loads, also with its settings switched on."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.evaluation.scanning import Scan, scan
from pytest_sessioneval.evaluation.suggesting import Example, example_of, suite_text
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import Suite
from pytest_sessioneval.testing import tool, transcript
from pytest_sessioneval.transcripts.model import Transcript
from pytest_sessioneval.transcripts.registry import Registry, builtin_readers

_REGISTRY = Registry(builtin_readers())


def chat(subject: str, **fields: Any) -> str:
    """Return a recorded session, as one line."""
    said = [
        {"role": "user", "content": f"Tell me about {subject}"},
        {"role": "assistant", "content": f"That is {subject}."},
    ]
    return json.dumps({"messages": said, **fields})


def tau(task: int, trial: int, reward: float) -> dict[str, Any]:
    """Return a result as tau-bench records it; no two are alike."""
    said = json.loads(chat(f"task {task}, trial {trial}"))["messages"]
    return {"task_id": task, "reward": reward, "trial": trial, "info": {}, "traj": said}


def scanned(folder: Path, files: Mapping[str, str]) -> Scan:
    """Return what the folder holds after these files were written to it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return scan(default_suite(folder), registry=_REGISTRY, store=None)


def loaded(folder: Path, text: str) -> Suite:
    """Return the suite that the text makes of the folder."""
    (folder / "sessioneval.toml").write_text(text, "utf-8")
    return load_suite(folder)


def switched_on(text: str) -> str:
    """Return the text with every setting on that is off, but for other judges' ``model``."""
    return re.sub(r"^#(?! |model)", "", text, flags=re.MULTILINE)


def prose(text: str) -> str:
    """Return the text with each of its comments on one line."""
    return " ".join(text.replace("\n# ", " ").split())


def settings_off(text: str) -> list[str]:
    """Return the settings that are off, as they stand."""
    return re.findall(r"^#([^ ].*)$", text, re.MULTILINE)


EXAMPLE = Example(session="a.json", called="refund", not_called="transfer_to_human")


def test_as_it_stands_it_changes_nothing_but_the_name(tmp_path: Path) -> None:
    """A suite with the suggested file is judged as the folder was without it."""
    found = scanned(tmp_path, {"a.json": chat("a")})
    settings = tomllib.loads(suite_text(found, EXAMPLE))
    assert {"suite": {"name": tmp_path.name}, "judge": {"model": "evidence"}} == settings


def test_it_loads(tmp_path: Path) -> None:
    """The suite file is accepted as a whole."""
    suite = loaded(tmp_path, suite_text(scanned(tmp_path, {"a.json": chat("a")}), EXAMPLE))
    assert tmp_path.name == suite.name
    assert suite.settings.gate is None


def test_every_setting_that_is_off_can_be_switched_on(tmp_path: Path) -> None:
    """Taking the # away everywhere gives a suite with expectation, thresholds and gate."""
    results = json.dumps([tau(1, 0, 1.0), tau(1, 1, 0.0), tau(2, 0, 0.5)])
    found = scanned(tmp_path, {"a.json": results, "b.json": chat("b", session_id="b")})
    suite = loaded(tmp_path, switched_on(suite_text(found, EXAMPLE)))
    assert ("a.json", "refund") == (
        suite.settings.expect[0].session,
        suite.settings.expect[0].must_call[0].tool,
    )
    assert suite.settings.suite.use_outcome
    assert suite.settings.thresholds.session
    assert suite.settings.thresholds.mean
    assert suite.settings.gate is not None
    assert {"default": 5} == suite.settings.gate.margins


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_other_judge_can_be_switched_on(tmp_path: Path, number: int) -> None:
    """Each ``model`` line is accepted in place of the embedded judge's."""
    text = suite_text(scanned(tmp_path, {"a.json": chat("a")}), None)
    models = [line for line in settings_off(text) if line.startswith("model")]
    suite = loaded(tmp_path, text.replace('model = "evidence"', models[number], 1))
    assert suite.settings.judge.model != "evidence"
    assert 3 == len(models)


def test_sessions_are_named_where_other_files_lie_beside_them(tmp_path: Path) -> None:
    """With the file, other JSON is not looked at any more."""
    found = scanned(tmp_path, {"chats/a.json": chat("a"), "package.json": '{"name": "x"}'})
    suite = loaded(tmp_path, suite_text(found, None))
    assert ("chats/**/*.json",) == suite.settings.suite.sessions
    again = scan(suite, registry=_REGISTRY, store=None)
    assert (1, ()) == (again.sources.sessions, again.sources.not_sessions)


def test_sessions_are_not_named_where_there_is_nothing_else(tmp_path: Path) -> None:
    """A glob would only hide what is recorded under another name later."""
    text = suite_text(scanned(tmp_path, {"a.json": chat("a")}), None)
    assert "sessions = " not in text


def test_a_file_that_cannot_be_read_stays_in_the_suite(tmp_path: Path) -> None:
    """No glob hides an error."""
    found = scanned(tmp_path, {"c/a.json": chat("a"), "d/b.json": '{"mess', "package.json": "{}"})
    suite = loaded(tmp_path, suite_text(found, None))
    problems = scan(suite, registry=_REGISTRY, store=None).problems
    assert ["d/b.json"] == [problem.path for _, problem in problems]


def test_no_glob_is_made_up_where_none_tells_the_files_apart(tmp_path: Path) -> None:
    """Seven sessions and a package.json in one folder: the setting is shown, and off."""
    files = {f"s{n}.json": chat(f"s{n}") for n in range(7)}
    text = suite_text(scanned(tmp_path, files | {"package.json": "{}"}), None)
    assert 'sessions = ["sessions/**/*.json"]' in settings_off(text)
    assert () == loaded(tmp_path, text).settings.suite.sessions


def test_a_key_is_suggested_that_is_unique(tmp_path: Path) -> None:
    """Switched on, the recorded ids become the keys."""
    files = {"a.json": chat("a", session_id="first"), "b.json": chat("b", session_id="second")}
    found = scanned(tmp_path, files)
    text = suite_text(found, None)
    assert 'key = "session_id"' in settings_off(text)
    suite = loaded(tmp_path, switched_on(text))
    again = scan(suite, registry=_REGISTRY, store=None)
    assert ["first", "second"] == [member.session.key for member in again.members]


def test_random_ids_are_not_suggested_as_keys(tmp_path: Path) -> None:
    """An id that is drawn anew for each recording pairs with nothing."""
    ids = ("5d0f3c1e-8a47-4b1c-9a55-2f6f0b7d1e90", "b81c6f02-43d9-4c8e-8f3a-71d2a90e5c44")
    a, b = (chat(letter, session_id=random) for letter, random in zip("ab", ids, strict=True))
    assert "session_id" not in suite_text(scanned(tmp_path, {"a.json": a, "b.json": b}), None)


def test_tasks_that_are_unique_are_told_to_be_the_keys(tmp_path: Path) -> None:
    """Nothing needs to be set then."""
    found = scanned(tmp_path, {"a.json": json.dumps([tau(1, 0, 1.0), tau(2, 0, 1.0)])})
    text = suite_text(found, None)
    assert "is its task id" in prose(text)
    assert [] == [line for line in settings_off(text) if line.startswith(("key", "cluster"))]


def test_tasks_that_repeat_are_grouped(tmp_path: Path) -> None:
    """The setting that says so can be switched on."""
    found = scanned(tmp_path, {"a.json": json.dumps([tau(1, 0, 1.0), tau(1, 1, 1.0)])})
    text = suite_text(found, None)
    assert "# 2 sessions attempt 1 task: they are grouped by task" in text
    assert "It takes 20 tasks at least to pass (here: 1)" in prose(text)
    suite = loaded(tmp_path, switched_on(text))
    again = scan(suite, registry=_REGISTRY, store=None)
    assert ["1", "1"] == [member.session.cluster for member in again.members]


def test_the_same_trial_twice_is_remarked_on(tmp_path: Path) -> None:
    """Two benchmarks in one folder share task numbers, and are no repetition of each other."""
    first, second = json.dumps([tau(1, 0, 1.0)]), json.dumps([tau(1, 0, 0.0)])
    second = second.replace("Tell me", "Say more")
    text = suite_text(scanned(tmp_path, {"a.json": first, "b.json": second}), None)
    assert "Some tasks and trials are there more than once" in prose(text)


def test_without_outcomes_use_outcome_is_not_mentioned(tmp_path: Path) -> None:
    """What the sessions do not have is no suggestion."""
    assert "use_outcome" not in suite_text(scanned(tmp_path, {"a.json": chat("a")}), None)


def test_the_gate_says_how_many_sessions_it_takes(tmp_path: Path) -> None:
    """One session is not twenty."""
    text = suite_text(scanned(tmp_path, {"a.json": chat("a")}), None)
    assert "It takes 20 sessions at least to pass (here: 1)" in prose(text)


HOSTILE = 'a"\n[judge]\nmodel = "openai:theirs"\n\x1b[2J\u202e\x7f\\'


def test_samples_are_scored_by_their_own_rubric(tmp_path: Path) -> None:
    """As it stands it loads, and so does it with every setting on."""
    lines = [
        json.dumps({"id": f"q{at}", "question": "a", "answer": f"b{at}", "contexts": ["c"]})
        for at in range(3)
    ]
    text = suite_text(scanned(tmp_path, {"samples.jsonl": "\n".join(lines)}), None)
    assert "rag" == loaded(tmp_path, text).rubric.name
    suite = loaded(tmp_path, switched_on(text))
    gate = suite.settings.gate
    assert gate is not None
    assert ("faithfulness",) == gate.axes
    assert {"faithfulness": 50} == suite.settings.thresholds.session
    assert "text-embedding-3-small" == suite.settings.judge.embedding_model


def test_text_of_strangers_stays_text(tmp_path: Path) -> None:
    """A key and a tool that look like TOML become strings, without line breaks or escapes."""
    example = Example(session=HOSTILE, called=HOSTILE, not_called=HOSTILE)
    text = suite_text(scanned(tmp_path, {"a.json": chat("a")}), example)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    suite = loaded(tmp_path, switched_on(text))
    (expectation,) = suite.settings.expect
    assert HOSTILE == expectation.session
    assert HOSTILE == expectation.must_call[0].tool
    assert "evidence" == suite.settings.judge.model


def test_a_hostile_name_of_the_folder_stays_text(tmp_path: Path) -> None:
    """Line breaks and control characters in it are escaped; bytes that are no text are replaced."""
    folder = tmp_path / 'x"\n[gate]\n\x1b[2J\udcff'
    folder.mkdir()
    suite = loaded(folder, suite_text(scanned(folder, {"a.json": chat("a")}), None))
    assert 'x"\n[gate]\n\x1b[2J\ufffd' == suite.name
    assert suite.settings.gate is None


# -- the example ---------------------------------------------------------------------


def called(*tools: str, failed: Sequence[str] = ()) -> Transcript:
    """Return a transcript in which these tools were called, some in vain."""
    turns = [tool(name, is_error=name in failed) for name in (*tools, *failed)]
    return transcript(("user", "Do it"), *turns)


def test_the_example_is_what_few_sessions_did() -> None:
    """A look-up that every session makes tells nothing; the change one of them made does."""
    sample = [("a", called("look")), ("b", called("look", "refund")), ("c", called("look", "send"))]
    assert Example("b", called="refund", not_called="send") == example_of(sample)


def test_a_call_that_failed_is_no_example() -> None:
    """The expectation would not hold."""
    sample = [("a", called("look", failed=["refund"])), ("b", called("look"))]
    assert Example("a", called="look", not_called=None) == example_of(sample)


def test_without_tools_there_is_no_example() -> None:
    """Then the file shows an expectation about answers."""
    assert None is example_of([("a", called())])


def test_a_name_that_no_file_can_hold_is_no_example() -> None:
    """Neither as a key nor as a tool; nor is one that fills the screen."""
    sample = [("\udcff", called("look")), ("b", called("x" * 81))]
    assert None is example_of(sample)
