"""Calls to Google's services: each made with a time-out, repeated within bounds, and explained when it fails for good.

Google's own clients would go on for two to ten minutes without a word; a person who waits for a command wants to know after half a minute.
"""

import concurrent.futures
import time
from collections.abc import Callable
from typing import TypeVar

import requests
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth import exceptions as auth

from nba_ml.errors import NbaMlError

T = TypeVar("T")

REQUEST_SECONDS = 12.0
"""Longest wait for one answer."""

RETRY_SECONDS = 12.0
"""No request is repeated later than this after its first try, so that silence ends within `REQUEST_SECONDS` + `RETRY_SECONDS`."""

TRANSIENT = (
    exceptions.TooManyRequests,
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.ServiceUnavailable,
    exceptions.GatewayTimeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    auth.TransportError,
    ConnectionError,
    concurrent.futures.TimeoutError,
)
"""Errors after which the same request may succeed a moment later."""

_ALL = (
    exceptions.GoogleAPIError,
    auth.GoogleAuthError,
    requests.exceptions.RequestException,
    ConnectionError,
    concurrent.futures.TimeoutError,
)


def transient(error: BaseException) -> bool:
    """Tell whether the same request may succeed a moment later; a certificate that is not trusted stays so."""
    return isinstance(error, TRANSIENT) and not isinstance(error, requests.exceptions.SSLError)


def tried(
    call: Callable[[], T],
    explained: Callable[[BaseException, int, float], NbaMlError],
    is_transient: Callable[[BaseException], bool] = transient,
) -> T:
    """Make one request, repeat it while that may help, and explain what remains.

    Parameters
    ----------
    call : callable
        Makes the request once, with a time-out of `REQUEST_SECONDS`. It must be safe to repeat.
    explained : callable
        Makes the platform's error from the last one of Google's, how often the call was tried, and in how many seconds.
    is_transient : callable
        Tells after which errors the request is repeated.
    """
    failed: list[Exception] = []
    began = time.monotonic()
    repeat = Retry(predicate=is_transient, initial=0.2, maximum=3.0, multiplier=2.0, timeout=RETRY_SECONDS, on_error=failed.append)
    try:
        return repeat(call)()
    except exceptions.RetryError as error:
        raise explained(error.cause or error, len(failed), time.monotonic() - began) from error
    except _ALL as error:
        raise explained(error, len(failed) + 1, time.monotonic() - began) from error


def times(tries: int, seconds: float) -> str:
    """Return how often a call was tried, for messages."""
    return f"tried {tries} times in {seconds:.0f} s" if tries > 1 else "tried once"
