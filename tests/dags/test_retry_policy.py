"""What is tried again, and what fails at once."""

from datetime import timedelta

import pytest

pytestmark = pytest.mark.airflow


@pytest.fixture
def policy(dag_bag):
    from nba_retry_policy import NbaRetryPolicy

    return NbaRetryPolicy(timedelta(seconds=30))


def decide(policy, error, try_number=1):
    return policy.evaluate(error, try_number, 2)


def test_bad_data_refusals_and_artefacts_fail_at_once(policy):
    from nba_ml.errors import ArtefactError, BadInput, GateRefused, UsageError

    for error in (BadInput("x"), GateRefused("x"), ArtefactError("x"), UsageError("x")):
        assert decide(policy, error).action.value == "fail"


def test_locks_networks_and_timeouts_are_tried_again_after_a_growing_wait(policy):
    from airflow.sdk.exceptions import AirflowTaskTimeout

    from nba_ml.errors import Unavailable

    for error in (Unavailable("x"), ConnectionResetError("x"), TimeoutError("x"), AirflowTaskTimeout("x")):
        assert decide(policy, error).action.value == "retry"
    waits = [decide(policy, Unavailable("x"), number).retry_delay.total_seconds() for number in (1, 2, 3)]
    assert waits == [30, 60, 120]


def test_a_bug_is_not_tried_again(policy):
    decision = decide(policy, KeyError("player_id"))
    assert decision.action.value == "fail"
    assert "KeyError" in decision.reason
