"""fail-under and fail-drop: parsed at option time, evaluated on means, blunt and saying so."""

import pytest
from gate_builders import AXIS, VERSIONS, Score, baseline, candidate, reasons

from pytest_sessioneval.errors import SettingError
from pytest_sessioneval.gate.shortcuts import (
    BLUNT,
    FailDrop,
    FailUnder,
    ShortcutResult,
    check_shortcuts,
    drop_results,
    parse_fail_drop,
    parse_fail_under,
    shortcut_lines,
    under_results,
)

# -- parsing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "least"), [("70", 70.0), ("0", 0.0), ("100", 100.0), ("69.5", 69.5)]
)
def test_fail_under_is_an_axis_and_a_mean(number: str, least: float) -> None:
    """Whole points or parts of them, both ends included."""
    text = f"{AXIS}:{number}"
    assert FailUnder(axis=AXIS, least=least, text=text) == parse_fail_under(text)


@pytest.mark.parametrize(
    ("limit", "most", "relative"),
    [
        ("5", 5.0, False),
        ("0", 0.0, False),
        ("2.5", 2.5, False),
        ("3%", 3.0, True),
        ("3 %", 3.0, True),
    ],
)
def test_fail_drop_is_points_or_per_cent(limit: str, most: float, relative: bool) -> None:  # noqa: FBT001
    """``axis:5`` and ``axis:3%``."""
    text = f"{AXIS}:{limit}"
    assert FailDrop(axis=AXIS, most=most, relative=relative, text=text) == parse_fail_drop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "70",
        ":70",
        AXIS,
        f"{AXIS}:",
        f"{AXIS}:seventy",
        f"{AXIS}:-1",
        f"{AXIS}:101",
        f"{AXIS}:1e2",
        f"{AXIS}:nan",
        f"{AXIS}:7\u0660",
        f"{AXIS}=70",
        "Goal Completion:70",
        f"{AXIS}:70:80",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    """The message names the option, what was found and what is accepted."""
    with pytest.raises(SettingError) as under:
        parse_fail_under(text)
    with pytest.raises(SettingError) as drop:
        parse_fail_drop(text)
    assert str(under.value).startswith(f"--sessioneval-fail-under: {text!r} is not accepted; give")
    assert str(drop.value).startswith(f"--sessioneval-fail-drop: {text!r} is not accepted; give")
    assert "goal_completion:70" in str(under.value)
    assert "goal_completion:3%" in str(drop.value)


def test_fail_under_takes_no_per_cent() -> None:
    """Points of a mean are not per cent of anything."""
    with pytest.raises(SettingError):
        parse_fail_under(f"{AXIS}:70%")


def test_an_axis_that_no_suite_has_is_refused() -> None:
    """With the one that was probably meant."""
    with pytest.raises(SettingError) as caught:
        check_shortcuts([parse_fail_under("goal_completoin:70")], [], [AXIS, "communication"])
    assert (
        "--sessioneval-fail-under goal_completoin:70: no suite has an axis 'goal_completoin' (did "
        "you mean 'goal_completion'?); there are goal_completion, communication"
    ) == str(caught.value)
    with pytest.raises(SettingError, match="--sessioneval-fail-drop other:5: no suite has an axis"):
        check_shortcuts([], [parse_fail_drop("other:5")], [AXIS])


def test_axes_that_some_suite_has_are_accepted() -> None:
    """One suite is enough: the other is passed over."""
    check_shortcuts([parse_fail_under("communication:70")], [], [AXIS, "communication"])
    assert () == under_results([parse_fail_under("communication:70")], candidate([50]))


# -- fail-under ----------------------------------------------------------------------


def under(limit: str, scores: list[Score]) -> ShortcutResult:
    """Return what ``axis:limit`` says of these scores."""
    (result,) = under_results([parse_fail_under(f"{AXIS}:{limit}")], candidate(scores))
    return result


@pytest.mark.parametrize(
    ("limit", "held", "found"),
    [
        ("70", True, "mean 70.0 of 2 sessions"),
        ("70.1", False, "mean 70.0 of 2 sessions"),
        ("0", True, "mean 70.0 of 2 sessions"),
    ],
)
def test_a_mean_holds_when_it_reaches_the_limit(limit: str, held: bool, found: str) -> None:  # noqa: FBT001
    """Exactly reaching it is enough."""
    result = under(limit, [60, 80])
    assert (held, found) == (result.held, result.found)


def test_a_mean_just_below_is_shown_as_below() -> None:
    """69.96 is not printed as 70.0 beside "failed"."""
    assert "mean 69.96 of 1 session" == under("70", [69.96]).found


def test_binary_arithmetic_fails_nobody() -> None:
    """A mean of 0.1 three times is 0.1."""
    assert under("0.1", [0.1, 0.1, 0.1]).held


def test_sessions_it_does_not_apply_to_are_left_out_of_the_mean() -> None:
    """The experts said so: that is an answer."""
    assert "mean 80.0 of 1 session" == under("70", [80, "not_applicable", "unsupported"]).found


@pytest.mark.parametrize("reason", ["failed", "declined", "skipped", "tampered", "unverified"])
def test_a_mean_over_survivors_never_holds(reason: str) -> None:
    """The judge failed on the worst one: what is left says nothing of the suite."""
    result = under("70", [100, 100, reason])  # type: ignore[list-item]
    assert (False, "1 of 3 sessions not judged (session-002)") == (result.held, result.found)


def test_a_mean_of_nothing_never_holds() -> None:
    """Not even against 0."""
    result = under("0", reasons("not_applicable", 3))
    assert (False, "none of 3 sessions has a score") == (result.held, result.found)


def test_a_run_without_a_session_is_not_spoken_of() -> None:
    """All of it was deselected: the run says so itself."""
    assert () == under_results([parse_fail_under(f"{AXIS}:70")], candidate([]))


# -- fail-drop -----------------------------------------------------------------------


def drop(limit: str, before: list[Score], after: list[Score]) -> ShortcutResult:
    """Return what ``axis:limit`` says of these scores against those of the baseline."""
    checks = [parse_fail_drop(f"{AXIS}:{limit}")]
    (result,) = drop_results(checks, candidate(after), baseline(before))
    return result


@pytest.mark.parametrize(
    ("limit", "held", "found"),
    [
        ("5", True, "changed by -5.0 (80.0 to 75.0, 2 sessions)"),
        ("4.9", False, "changed by -5.0 (80.0 to 75.0, 2 sessions)"),
        ("6.25%", True, "changed by -6.2 % (80.0 to 75.0, 2 sessions)"),
        ("6.2%", False, "changed by -6.25 % (80.0 to 75.0, 2 sessions)"),
    ],
)
def test_a_drop_holds_up_to_the_limit(limit: str, held: bool, found: str) -> None:  # noqa: FBT001
    """In points, or in per cent of the baseline's mean; the limit itself is tolerated."""
    result = drop(limit, [80, 80], [70, 80])
    assert (held, found) == (result.held, result.found)


def test_a_rise_always_holds() -> None:
    """There is no drop."""
    result = drop("0", [50], [60])
    assert (True, "changed by +10.0 (50.0 to 60.0, 1 session)") == (result.held, result.found)


def test_nothing_can_fall_below_zero() -> None:
    """Per cent of a mean of 0 is no drop and no division by zero."""
    assert drop("1%", [0, 0], [0, 0]).held


def test_only_sessions_scored_on_both_sides_are_compared() -> None:
    """A new, bad session is not a drop; a null on one side takes its pair out."""
    result = drop("1", [80, 80, "not_applicable"], [80, "not_applicable", 10])
    assert "changed by +0.0 (80.0 to 80.0, 1 session)" == result.found
    assert drop("1", [80], [80, 0]).held


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([80, 80], [80], "1 session of the baseline missing (session-001)"),
        ([80, 80], [80, "failed"], "1 session not judged (session-001)"),
        ([80, 80], [80, "tampered"], "1 session not judged (session-001)"),
        ([80, 80], [80, "unverified"], "1 session not judged (session-001)"),
        ([80, "skipped"], [80, 80], "1 session not judged (session-001)"),
        ([80], [80, "declined"], "1 session not judged (session-001)"),
        ([80], ["not_applicable"], "no session has a score both in the baseline and now"),
    ],
)
def test_what_is_missing_never_holds(before: list[Score], after: list[Score], found: str) -> None:
    """Lost, not judged on either side, new and not judged, nothing left."""
    result = drop("100", before, after)
    assert (False, found) == (result.held, result.found)


def test_sessions_that_selection_left_out_are_not_missing() -> None:
    """What ran is what is compared."""
    run = candidate([80], left_out=frozenset({"session-001"}), partial="-k")
    (result,) = drop_results([parse_fail_drop(f"{AXIS}:5")], run, baseline([80, 20]))
    assert "changed by +0.0 (80.0 to 80.0, 1 session)" == result.found


@pytest.mark.parametrize("what", ["rubric", "judge", "scoring"])
def test_scores_of_other_versions_never_hold(what: str) -> None:
    """They cannot be compared, so nothing is claimed."""
    old = baseline([80], versions=VERSIONS.model_copy(update={what: "other@1"}))
    (result,) = drop_results([parse_fail_drop(f"{AXIS}:100")], candidate([80]), old)
    assert (False, f"the baseline was made with another {what}") == (result.held, result.found)


def test_an_axis_that_the_baseline_lacks_never_holds() -> None:
    """It was not scored then."""
    old = baseline([80]).model_copy(update={"axes": ("communication",)})
    (result,) = drop_results([parse_fail_drop(f"{AXIS}:100")], candidate([80]), old)
    assert (False, "the baseline does not hold this axis") == (result.held, result.found)


def test_no_baseline_never_holds() -> None:
    """There is nothing to have dropped from."""
    (result,) = drop_results([parse_fail_drop(f"{AXIS}:100")], candidate([80]), None)
    assert (False, "there is no baseline to compare with") == (result.held, result.found)


# -- saying --------------------------------------------------------------------------


def test_lines_say_what_was_asked_found_and_held() -> None:
    """One line each, and beneath them all that they are blunt."""
    results = [under("80", [60, 80]), drop("5", [80], [80])]
    assert (
        "fail-under goal_completion:80 · mean 70.0 of 2 sessions · FAILED",
        "fail-drop goal_completion:5 · changed by +0.0 (80.0 to 80.0, 1 session) · held",
        BLUNT,
    ) == shortcut_lines(results)


def test_without_shortcuts_nothing_is_said() -> None:
    """Not even that they would be blunt."""
    assert () == shortcut_lines([])
