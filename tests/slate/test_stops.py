"""A stop keeps slates after it from being published, until it is lifted."""

from datetime import timedelta

import pytest

from nba_ml import alerts
from nba_ml.errors import GateRefused
from nba_ml.slate import steps, stops
from tests.slate.little_league import SLATE

CAUSE = f"{stops.STOP}far_worse"


def stop(context, day):
    alert = alerts.Alert(CAUSE, "urgent", "The numbers are far off.", stops.lift(CAUSE), occasion=str(day), slate_date=day)
    alerts.write(context, alert)


def test_nothing_is_published_after_a_stop_until_it_is_lifted(loaded, released, suites):
    stop(loaded, SLATE - timedelta(days=1))
    with pytest.raises(GateRefused, match=rf"stopped since .* by {CAUSE}. The numbers are far off.*nba-ml alerts close {CAUSE}") as refused:
        steps.predict(loaded, SLATE, "replay")
    assert refused.value.report == {"slate_date": str(SLATE), "stops": [CAUSE]}
    assert loaded.warehouse.count([steps.PICKS]) == {steps.PICKS: 0}
    alerts.resolve(loaded, CAUSE, "looked at")
    assert steps.predict(loaded, SLATE, "replay")["published"] > 0


def test_slates_up_to_the_one_that_was_stopped_on_may_be_replayed(loaded, released, suites):
    stop(loaded, SLATE)
    assert steps.predict(loaded, SLATE, "replay")["published"] > 0


def test_other_alerts_stop_nothing(loaded):
    alerts.write(loaded, alerts.Alert("monitor.feature", "urgent", "x", "y", occasion="z", slate_date=SLATE - timedelta(days=1)))
    stops.require_none(loaded, SLATE)
