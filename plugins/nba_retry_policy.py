"""Retry policy of every task: what may pass by itself is tried again, the rest fails at once."""

from datetime import timedelta
from typing import Any

from airflow.sdk import RetryPolicy
from airflow.sdk.definitions.retry_policy import RetryDecision
from airflow.sdk.exceptions import AirflowTaskTimeout


class NbaRetryPolicy(RetryPolicy):
    """Retry a busy lock, a lost connection and a time-out; fail at once on bad data, a gate's refusal and anything unforeseen.

    A killed worker never comes here: the scheduler retries its task, as far as `retries` goes.

    Parameters
    ----------
    delay : timedelta
        Wait before the second try; doubled for each further one.
    """

    def __init__(self, delay: timedelta = timedelta(seconds=30)) -> None:
        self.delay = delay

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        """Decide by the error's own `retryable`, see `nba_ml.errors`; library errors that carry none are judged by their class."""
        by_class = isinstance(exception, ConnectionError | TimeoutError | AirflowTaskTimeout)
        name = type(exception).__name__
        if getattr(exception, "retryable", by_class):
            return RetryDecision.retry(self.delay * 2 ** (try_number - 1), f"{name} may pass by itself")
        return RetryDecision.fail(f"{name} comes again on every try: see its message")
