"""The collector is as it was before, whatever happened in between."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pytest_sessioneval.garbage import keep_what_is_there, paused, seldom


@pytest.fixture(scope="module", autouse=True)
def _as_it_was() -> Iterator[None]:
    """Leave the collector as it was: what is out of its sight is counted once."""
    enabled, frozen = gc.isenabled(), gc.get_freeze_count() > 0
    yield
    if frozen:
        gc.freeze()
    (gc.enable if enabled else gc.disable)()


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    """Begin with nothing out of its sight, and at work."""
    threshold = gc.get_threshold()
    gc.unfreeze()
    gc.enable()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_it_rests_while_much_is_made() -> None:
    """Thousands of values that stay are made without being walked."""
    with paused(200):
        assert not gc.isenabled()
    assert gc.isenabled()


def test_little_is_no_reason() -> None:
    """A small run changes nothing."""
    with paused(199):
        assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    """What went wrong meanwhile does not leave it off."""
    with pytest.raises(ValueError, match="oh"), paused(200):
        raise ValueError("oh")
    assert gc.isenabled()


def test_pauses_can_be_nested() -> None:
    """The outermost pause ends it."""
    with paused(200):
        with paused(200):
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_turned_it_off_keeps_it_off() -> None:
    """An application without the collector stays without it."""
    gc.disable()
    with paused(200):
        pass
    assert not gc.isenabled()


def test_what_the_application_froze_stays_frozen() -> None:
    """A pause does not give back what somebody else took out of sight."""
    gc.freeze()
    frozen = gc.get_freeze_count()
    with paused(200):
        pass
    assert frozen == gc.get_freeze_count()


def test_a_pause_freezes_nothing() -> None:
    """What was made is found by the next full collection."""
    with paused(200):
        pass
    assert 0 == gc.get_freeze_count()


@pytest.mark.parametrize(("count", "frozen"), [(199, False), (200, True)])
def test_what_a_large_run_looked_up_is_out_of_sight(count: int, frozen: bool) -> None:  # noqa: FBT001
    """What stays until the end is not walked again; small runs change nothing."""
    keep_what_is_there(count)
    assert frozen == (gc.get_freeze_count() > 0)


def test_what_is_kept_is_out_of_sight_before_the_collector_goes_on() -> None:
    """Its first turn would walk all that was made."""
    with paused(200, keep=True):
        made: list[list[int]] = [[] for _ in range(5_000)]
    young = {id(one) for one in gc.get_objects(generation=0)}
    assert not young & {id(one) for one in made}
    assert gc.isenabled()


@pytest.mark.parametrize(("count", "times"), [(199, 1), (200, 16)])
def test_it_runs_less_often_during_a_large_run(count: int, times: int) -> None:
    """And as often as before when that is over."""
    before = gc.get_threshold()
    with seldom(count):
        assert (before[0] * times, *before[1:]) == gc.get_threshold()
    assert before == gc.get_threshold()


def test_what_the_application_sets_meanwhile_stays() -> None:
    """It may have its reasons."""
    with seldom(200):
        gc.set_threshold(5, 6, 7)
    assert (5, 6, 7) == gc.get_threshold()


def test_a_collector_that_never_runs_by_itself_stays_so() -> None:
    """A threshold of 0 turns it off."""
    gc.set_threshold(0)
    with seldom(200):
        assert 0 == gc.get_threshold()[0]
