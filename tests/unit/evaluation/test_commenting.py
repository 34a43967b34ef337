"""A pull-request comment: found again by its marker, and never longer than GitHub takes."""

import pytest

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.evaluation.commenting import (
    COMMENT_BYTES,
    comment_marker,
    pull_request_comment,
)


def test_the_marker_is_seen_by_nobody() -> None:
    """An HTML comment on a line of its own, then the report as it is."""
    assert "<!-- pytest-sessioneval: report -->\n# Report\n" == pull_request_comment("# Report\n")


def test_each_name_has_a_marker_of_its_own() -> None:
    """No marker begins like another."""
    markers = [comment_marker(name) for name in ("report", "report2", "nightly")]
    assert [] == [(a, b) for a in markers for b in markers if a != b and b.startswith(a)]


@pytest.mark.parametrize("name", ["", " ", "a b", "-->", "a\nb", "é", "x" * 65, "-a"])
def test_a_name_that_could_end_the_marker_is_refused(name: str) -> None:
    """Letters, digits and three signs."""
    with pytest.raises(SettingError, match="cannot name a comment"):
        comment_marker(name)


def test_a_long_report_is_cut_at_a_line() -> None:
    """It fits, begins with the marker, says that it was cut, and closes what it opened."""
    report = "<details>\n" + "a line with an é\n" * 10_000 + "</details>\n"
    body = pull_request_comment(report)
    assert COMMENT_BYTES >= len(body.encode())
    assert COMMENT_BYTES - 200 < len(body.encode())
    assert body.startswith(comment_marker())
    assert body.endswith(
        "\n</details>\n\n**Cut here: a comment holds no more. report.md has the rest.**\n"
    )


def test_a_report_that_just_fits_is_whole() -> None:
    """Not a byte is spared."""
    room = COMMENT_BYTES - len(comment_marker()) - 1
    assert COMMENT_BYTES == len(pull_request_comment("x" * room))
    assert "Cut here" in pull_request_comment("x\n" * room)
