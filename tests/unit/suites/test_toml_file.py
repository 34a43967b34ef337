"""What a TOML file is refused for, and in which words."""

from pathlib import Path

import pytest

from pytest_sessioneval.errors import SuiteError
from pytest_sessioneval.suites.model import SuiteFile
from pytest_sessioneval.suites.tomlfile import MAX_BYTES, parse_toml, read_text


def refusal(source: str) -> str:
    """Return why a suite file of this text is refused."""
    with pytest.raises(SuiteError) as caught:
        parse_toml(source, name="s.toml").read_as(SuiteFile)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "[suite]\nname = 'a'\nsesions = ['*.json']\n",
            (
                "s.toml:3: [suite] has no key 'sesions' (did you mean 'sessions'?); accepted: name,"
                " sessions, key, cluster, rubric, feedback, use_outcome"
            ),
        ),
        (
            "[judges]\nmodel = 'evidence'\n",
            (
                "s.toml:1: the top level has no key 'judges' (did you mean 'judge'?); accepted:"
                " suite, profiles, judge, expect, thresholds, redact, gate"
            ),
        ),
        (
            "[suite]\nrepeats = 2\n",
            (
                "s.toml:2: [suite] has no key 'repeats' (did you mean it in [judge]?); accepted:"
                " name, sessions, key, cluster, rubric, feedback, use_outcome"
            ),
        ),
        (
            "[[expect]]\nfinal_matches = 'x'\n[[expect]]\nmust_call = ['a', { tol = 'b' }]\n",
            (
                "s.toml:4: [[expect.must_call]] has no key 'tol' (did you mean 'tool'?); accepted:"
                " tool, args\ns.toml:4: [[expect.must_call]] lacks the key 'tool'"
            ),
        ),
        (
            "[judge]\n\nrepeats = 'three'\n",
            's.toml:3: judge.repeats is the string "three"; accepted: a whole number from 1 to 100',
        ),
        (
            "[judge]\nrepeats = 2.0\n",
            "s.toml:2: judge.repeats is the number 2.0; accepted: a whole number from 1 to 100",
        ),
        (
            "[judge]\nrepeats = true\n",
            "s.toml:2: judge.repeats is true; accepted: a whole number from 1 to 100",
        ),
        (
            "[judge]\nrepeats = 0\n",
            "s.toml:2: judge.repeats is the number 0; accepted: a whole number from 1 to 100",
        ),
        (
            "[judge]\nmodel = 'gpt-5'\n",
            (
                's.toml:2: judge.model is the string "gpt-5"; accepted: evidence, openai:MODEL,'
                " anthropic:MODEL, ollama:MODEL, hook:NAME, recorded:PATH"
            ),
        ),
        (
            "[suite]\nuse_outcome = 'no'\n",
            's.toml:2: suite.use_outcome is the string "no"; accepted: true or false',
        ),
        (
            "[suite]\nsessions = '*.json'\n",
            's.toml:2: suite.sessions is the string "*.json"; accepted: a list',
        ),
        (
            "[suite]\nsessions = [\n  'a',\n  3,\n]\n",
            "s.toml:4: suite.sessions[1] is the number 3; accepted: a string",
        ),
        ("suite = 3\n", "s.toml:1: suite is the number 3; accepted: a table"),
        (
            "[thresholds.session]\n\nefficiency = 101\n",
            (
                "s.toml:3: thresholds.session.efficiency is the number 101; accepted: a number"
                " from 0 to 100"
            ),
        ),
        (
            "[gate]\naxes = ['efficiency']\non_inconclusive = 'warn'\n",
            (
                's.toml:3: gate.on_inconclusive is the string "warn"; accepted: "auto" or "fail" or'
                ' "pass"'
            ),
        ),
        (
            "[gate]\nmin_pairs = 1\n",
            "s.toml:2: gate.min_pairs is the number 1; accepted: a whole number of at least 2",
        ),
        (
            "[[judge.experts]]\nid = 'a'\ninstruction = 'b'\n",
            "s.toml:1: [[judge.experts]] lacks the key 'axes'",
        ),
        (
            "[[expect]]\nmust_call = [3]\n",
            "s.toml:2: expect[0].must_call[0] is the number 3; accepted: a string or a table",
        ),
        (
            "[[expect]]\nmust_call = [{ tool = 'a', args = { at = 2026-11-21 } }]\n",
            (
                "s.toml:2: expect[0].must_call[0].args.at is the date or time 2026-11-21; write it"
                " as a string"
            ),
        ),
        (
            "[judge]\ntemperature = nan\n",
            "s.toml:2: judge.temperature is nan; accepted: a finite number",
        ),
        (
            "[judge]\nseed = 0x10000000000000000\n",
            "s.toml:2: judge.seed is a whole number of more than 64 bits",
        ),
        (
            "[suite]\nname = a\n",
            "s.toml:2: this is not TOML: Invalid value",
        ),
        (
            "[suite]\nname = 'a'\nname = 'b'\n",
            "s.toml:3: this is not TOML: Cannot overwrite a value",
        ),
        ("[suite]\nname = '''a\n\n", "s.toml:3: this is not TOML: Expected \"'''\""),
        (f"a = {'[' * 5000}{']' * 5000}\n", "s.toml: values are nested too deeply"),
    ],
)
def test_refused_with_line_what_was_found_and_what_is_accepted(source: str, message: str) -> None:
    """The message names the line, what stands there, what may stand there, and the nearest key."""
    assert message == refusal(source)


def test_all_problems_are_told_at_once_in_order_of_lines() -> None:
    """Every wrong line is named, so that a file is repaired in one go."""
    message = refusal("[judge]\nrepeats = 0\nmodle = 'x'\n[suite]\nname = 1\n")
    assert [line.split(": ")[0] for line in message.split("\n")] == [
        "s.toml:2",
        "s.toml:3",
        "s.toml:5",
    ]


def test_a_flood_of_problems_is_cut() -> None:
    """The eleventh problem and those after it are counted, not printed."""
    message = refusal("[suite]\n" + "".join(f"zz{number} = 1\n" for number in range(30)))
    assert message.split("\n")[-1] == "and 20 more problems in s.toml"
    assert len(message.split("\n")) == 11


def test_nesting_beyond_the_json_parser_is_refused_by_name() -> None:
    """A value that tomllib takes and the validator does not is an error, never a traceback."""
    deep = "[" * 250 + "]" * 250
    message = refusal(f"[[expect]]\nmust_call = [{{ tool = 'a', args = {{ x = {deep} }} }}]\n")
    assert "s.toml:1: these values are not accepted: Invalid JSON: recursion limit" in message


def test_the_error_keeps_its_place() -> None:
    """Programs can read file and line without parsing the message."""
    with pytest.raises(SuiteError) as caught:
        parse_toml("\nx = 1\n", name="s.toml").read_as(SuiteFile)
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == ("s.toml", 2)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    """What some editors put at the start of a file does not make it invalid."""
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert read_text(tmp_path / "a", what="suite file") == "x = 1\n"


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path: Path) -> None:
    """The line and the byte are told."""
    (tmp_path / "a").write_bytes(b"x = 1\ny = '\xff'\n")
    with pytest.raises(SuiteError) as caught:
        read_text(tmp_path / "a", what="suite file")
    assert f"{tmp_path / 'a'}:2: this suite file is not UTF-8: byte 0xff; save it as UTF-8" == str(
        caught.value
    )


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    """One byte more than the limit is too many, and the limit itself is not."""
    (tmp_path / "a").write_bytes(b"#" * MAX_BYTES)
    assert len(read_text(tmp_path / "a", what="rubric")) == MAX_BYTES
    (tmp_path / "a").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SuiteError, match=r"a: this rubric is larger than the 1,048,576 bytes"):
        read_text(tmp_path / "a", what="rubric")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """The operating system's reason is passed on in one line."""
    with pytest.raises(SuiteError, match=r": cannot read this profile: Is a directory$"):
        read_text(tmp_path, what="profile")
