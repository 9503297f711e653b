"""What is due: once when it opens, as a count when it comes again, once when it is over."""

from datetime import UTC, datetime, timedelta

import pytest

from nba_ml.notices.tellings import AGAIN_AFTER, LEASE, NOTICES, OVER_IS_NEWS, URGENT, due

NOW = datetime(2024, 1, 6, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert(**changes):
    row = {"cause": "c", "severity": "warning", "count": 1, "first_at": NOW - HOUR, "opened_at": NOW - HOUR, "resolved_at": None}
    return row | {"resolution": None} | changes


def delivery(telling, **changes):
    row = {
        "cause": telling.row["cause"],
        "telling": telling.key,
        "kind": telling.kind,
        "opened_at": telling.row["opened_at"],
        "count": telling.row["count"],
        "severity": telling.row["severity"],
        "claimed_at": NOW - HOUR / 2,
        "delivered_at": NOW - HOUR / 2,
        "failure": None,
        "retry_at": None,
    }
    return row | changes


def told(row, **changes):
    (telling,) = due([row], [], NOW)
    return delivery(telling, **changes)


def kinds(row, *deliveries, now=NOW):
    return [telling.kind for telling in due([row], deliveries, now)]


def test_an_alert_is_told_when_it_opens_and_not_again():
    assert kinds(alert()) == ["open"]
    assert kinds(alert(), told(alert())) == []
    assert kinds(alert(), told(alert()), now=NOW + 10 * AGAIN_AFTER) == []


@pytest.mark.parametrize(("count", "waited", "due_again"), [(2, HOUR, False), (6, HOUR, True), (5, HOUR, False), (4, AGAIN_AFTER, True)])
def test_it_comes_again_as_a_count_at_twice_or_after_a_day(count, waited, due_again):
    before = told(alert(count=3), delivered_at=NOW - waited)
    assert kinds(alert(count=count), before) == (["open"] if due_again else [])


def test_the_first_repetition_is_told_since_one_is_doubled():
    assert kinds(alert(count=2), told(alert())) == ["open"]


def test_what_becomes_more_severe_is_told_in_the_other_channel():
    (telling,) = due([alert(severity="urgent")], [told(alert())], NOW)
    assert telling.channel == URGENT
    assert kinds(alert(severity="notice"), told(alert())) == []


def test_what_is_over_is_told_once_where_it_was_told_before():
    over = alert(resolved_at=NOW, resolution="done")
    (telling,) = due([over], [told(alert(severity="urgent"))], NOW)
    assert (telling.kind, telling.channel, telling.told) == ("over", URGENT, True)
    assert kinds(over, told(alert()), delivery(telling)) == []


def test_what_was_over_before_it_could_be_told_is_told_as_one():
    (telling,) = due([alert(resolved_at=NOW, resolution="done")], [], NOW)
    assert (telling.kind, telling.told) == ("over", False)


def test_what_needs_nobody_is_a_note():
    note = alert(severity="notice", resolved_at=NOW)
    (telling,) = due([note], [], NOW)
    assert telling.kind == "note"
    assert kinds(note, delivery(telling)) == []


def test_old_news_is_none():
    assert kinds(alert(resolved_at=NOW - OVER_IS_NEWS - HOUR, resolution="done")) == []


def test_what_opens_again_is_told_again():
    assert kinds(alert(opened_at=NOW), told(alert())) == ["open"]


def test_a_try_that_goes_on_holds_it_and_a_dead_one_does_not():
    (telling,) = due([alert()], [told(alert(), delivered_at=None, claimed_at=NOW)], NOW)
    assert (telling.held, telling.attempt) == (True, 2)
    (telling,) = due([alert()], [told(alert(), delivered_at=None, claimed_at=NOW - LEASE)], NOW)
    assert (telling.held, telling.attempt) == (False, 2)


def test_a_try_of_the_count_before_holds_the_next_one_too():
    (telling,) = due([alert(count=2)], [told(alert(), delivered_at=None, claimed_at=NOW)], NOW)
    assert telling.held


def test_a_try_that_failed_says_how_long_slack_asked_to_wait():
    failed = told(alert(), delivered_at=None, failure="it answered 429", retry_at=NOW + HOUR)
    (telling,) = due([alert()], [failed], NOW)
    assert (telling.held, telling.not_before) == (False, NOW + HOUR)


def test_that_a_channel_is_down_is_told_in_the_other():
    urgent, notices = (alert(cause=f"slack:{channel}", severity="urgent") for channel in (URGENT, NOTICES))
    assert [telling.channel for telling in due([urgent, notices], [], NOW)] == [NOTICES, URGENT]


def test_a_row_that_is_older_than_its_opening_counts_from_the_first_time():
    old = alert(opened_at=None)
    (telling,) = due([old], [], NOW)
    assert kinds(old, delivery(telling, opened_at=old["first_at"])) == []
