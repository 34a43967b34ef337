"""Lines of keys in TOML sources that naive scanners get wrong."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings, strategies as st

import pytest_sessioneval
from pytest_sessioneval.suites.positions import KeyPath, key_positions

REPOSITORY = Path(__file__).resolve().parents[3]
RUBRIC = Path(pytest_sessioneval.__file__).parent / "suites" / "rubrics" / "agent.toml"


def lines_of(source: str) -> dict[KeyPath, int]:
    """Return the scanner's lines for a source that tomllib accepts."""
    tomllib.loads(source)
    return dict(key_positions(source).lines)


def paths_of(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every path of a parsed value, without the empty one."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, child in value.items():
            yield from paths_of(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from paths_of(child, (*path, index))


def test_keys_of_a_table() -> None:
    """A key stands on its own line, beneath its header."""
    expected = {("suite",): 2, ("suite", "name"): 4, ("suite", "key"): 5}
    assert expected == lines_of("\n[suite]\n# a comment\nname = 'a'\nkey = 1 # [not.a.table]\n")


def test_brackets_in_multi_line_strings() -> None:
    """What looks like TOML inside a multi-line string is text."""
    source = dedent('''\
        a = """
        [table]
        key = 1
        \\""" still inside "" and ""\\"
        """
        b = \'\'\'
        [other] # '' no comment
        \'\'\'
        c = 3
        ''')
    assert lines_of(source) == {("a",): 1, ("b",): 6, ("c",): 9}


@pytest.mark.parametrize("quotes", ['""""', '"""""'])
def test_multi_line_string_that_ends_in_quotes(quotes: str) -> None:
    """One or two quotes directly before the closing three belong to the string."""
    assert lines_of(f'a = """x\ny{quotes}\nb = 1\n') == {("a",): 1, ("b",): 3}


def test_quoted_and_dotted_keys() -> None:
    """Quoted parts lose their quotes and escapes; every part of a dotted key has the line."""
    source = "['a.b'.\"c\\u0041\"]\nx . 'y z'.w = 1\n\"\" = 2\n'[q]' = 3\n1.2 = 4\n"
    expected = {
        ("a.b", "cA"): 1,
        ("a.b", "cA", "x"): 2,
        ("a.b", "cA", "x", "y z"): 2,
        ("a.b", "cA", "x", "y z", "w"): 2,
        ("a.b", "cA", ""): 3,
        ("a.b", "cA", "[q]"): 4,
        ("a.b", "cA", "1"): 5,
        ("a.b", "cA", "1", "2"): 5,
    }
    assert expected == lines_of(source)


def test_arrays_of_tables_are_counted() -> None:
    """Each header of an array of tables begins a new element, nested ones within the latest."""
    source = dedent("""\
        [[a]]
        x = 1
        [[a.b]]
        y = 1
        [[a.b]]
        y = 2
        [a.c]
        z = 1
        [[a]]
        [[a.b]]
        y = 3
        """)
    lines = lines_of(source)
    assert [lines["a", 0], lines["a", 1]] == [1, 9]
    assert [
        lines[p] for p in [("a", 0, "b", 0, "y"), ("a", 0, "b", 1, "y"), ("a", 1, "b", 0, "y")]
    ] == [4, 6, 11]
    assert lines["a", 0, "c", "z"] == 8


def test_elements_of_arrays_and_inline_tables() -> None:
    """Elements stand where they begin, over comments, nested tables and trailing commas."""
    source = dedent("""\
        a = [ # ] no end
          1,
          # 2,
          [3, 4], { tool = "x]}", args = { o = [5,
            6] } },
        ]
        b = {}
        c = []
        d = 1
        """)
    lines = lines_of(source)
    assert [lines["a", 0], lines["a", 1], lines["a", 1, 1], lines["a", 2]] == [2, 4, 4, 4]
    assert [lines["a", 2, "args", "o", 0], lines["a", 2, "args", "o", 1]] == [4, 5]
    assert [lines["b",], lines["c",], lines["d",]] == [7, 8, 9]


def test_windows_line_ends() -> None:
    """A carriage return before a line feed does not count as a line."""
    assert lines_of("a = '''x\r\n'''\r\nb = 1\r\n") == {("a",): 1, ("b",): 3}


def test_a_missing_path_has_the_line_of_the_table_around_it() -> None:
    """A key that is absent is reported at its table, and at line 1 without one."""
    positions = key_positions("\n[a.b]\nc = 1\n")
    assert [positions.line(("a", "b", "missing")), positions.line(("z",))] == [2, 1]


@pytest.mark.parametrize("file", [REPOSITORY / "pyproject.toml", RUBRIC], ids=["project", "rubric"])
def test_every_path_of_a_real_file_has_a_line(file: Path) -> None:
    """No key or element of the repository's own TOML files is missed, and none is made up."""
    source = file.read_text("utf-8")
    lines = lines_of(source)
    implied = {path[:n] for path in lines for n in range(1, len(path))}
    assert set(paths_of(tomllib.loads(source))) == set(lines) | implied


KEYS = st.sampled_from(["a", "'b c'", '"d\\"]"', "e-1", "'#'"])
SCALARS = st.sampled_from(
    ["1", "-2.5e3", "true", "2026-11-21T10:00:00Z", "'#]'", '"},="', '"""\n]#\n"""', "'''\n{'''"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda xs: "[ # ]\n" + ",\n".join(xs) + "\n]"),
        st.dictionaries(KEYS, SCALARS.filter(lambda x: "\n" not in x), max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{k} = {v}" for k, v in pairs.items()) + " }"
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_any_layout(tables: list[dict[str, str]]) -> None:
    """Every path that tomllib finds has a line, and that line holds the key."""
    source = "".join(
        "[[t.'u v']] # x\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
        for table in tables
    )
    lines = key_positions(source).lines
    physical = source.split("\n")
    for path in paths_of(tomllib.loads(source)):
        if path == ("t",):
            continue
        assert path in lines
        key = path[-1]
        if isinstance(key, str):
            shown = key.replace('"', '\\"')
            assert shown in physical[lines[path] - 1]
