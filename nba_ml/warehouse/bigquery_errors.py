"""BigQuery's errors in the platform's words: which call, how often it was tried, what is wrong, and the next step.

Requests are repeated within bounds; `google.api_core` by itself would go on for ten minutes.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from google.api_core import exceptions
from google.auth import exceptions as auth

from nba_ml import google_calls
from nba_ml.errors import NbaMlError, PermissionMissing, Unavailable, UsageError

T = TypeVar("T")

_TRANSIENT_REASONS = frozenset(
    {"backendError", "badGateway", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded", "rateLimitExceeded"}
)
_LASTING_REASONS = frozenset({"billingTierLimitExceeded", "bytesBilledLimitExceeded", "quotaExceeded", "resourcesExceeded", "stopped"})
_ROLES = {
    "bigquery.datasets.create": "roles/bigquery.user",
    "bigquery.datasets.get": "roles/bigquery.metadataViewer",
    "bigquery.datasets.update": "roles/bigquery.dataOwner",
    "bigquery.jobs.create": "roles/bigquery.jobUser",
    "bigquery.jobs.get": "roles/bigquery.jobUser",
    "bigquery.readsessions.create": "roles/bigquery.readSessionUser",
    "bigquery.readsessions.getData": "roles/bigquery.readSessionUser",
    "bigquery.tables.create": "roles/bigquery.dataEditor",
    "bigquery.tables.get": "roles/bigquery.dataViewer",
    "bigquery.tables.getData": "roles/bigquery.dataViewer",
    "bigquery.tables.update": "roles/bigquery.dataEditor",
    "bigquery.tables.updateData": "roles/bigquery.dataEditor",
}
"""Permission → the smallest predefined role that holds it."""

_PERMISSION = re.compile(r"bigquery\.[A-Za-z]+\.[A-Za-z]+")
_CONFLICT = re.compile(
    r"concurrent (update|transaction|modification)|could not serialize|transaction is aborted|failed to commit|conflict on update|has the turn",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"^[A-Z]+ https?://\S+: ")
_REPEATED = re.compile(r"; reason: .*$|,? location: .*$", re.DOTALL)


class WriteConflict(Unavailable):
    """BigQuery, or another writer, cancelled this write; it changed nothing and may be repeated at once."""


class Missing(UsageError):
    """A project, dataset, table or job that is not there."""


class BrokenStatement(UsageError):
    """A statement that BigQuery refuses: a mistake in it, or a table without a column that it names."""


def tried(what: str, call: Callable[[], T]) -> T:
    """Make one request, repeat it while that may help, and explain what remains.

    Parameters
    ----------
    what : str
        The call for people, as in "reading the dataset nba_raw".
    call : callable
        Makes the request once, with a timeout of its own. It must be safe to repeat.

    Raises
    ------
    Unavailable
        If the service did not answer, answered 429 or 5xx, or cut the answer off, until the end of the last try.
    NbaMlError
        As `explained` says, at once, for all that a repetition does not mend.
    """
    return google_calls.tried(call, lambda error, tries, seconds: explained(error, what, tries, seconds), transient)


def transient(error: BaseException) -> bool:
    """Tell whether the same request may succeed a moment later."""
    if _CONFLICT.search(str(error)):
        return False
    # A job's failure whose reason Google's client does not know comes as a server error: the reason counts before the class.
    reason = reason_of(error)
    return reason in _TRANSIENT_REASONS or (reason not in _LASTING_REASONS and google_calls.transient(error))


def reason_of(error: BaseException) -> str:
    """Return BigQuery's word for the reason, as in ``quotaExceeded``; empty where it gives none."""
    details = getattr(error, "errors", None) or [{}]
    return str(details[0].get("reason", "")) if isinstance(details[0], dict) else ""


def explained(error: BaseException, what: str, tries: int, seconds: float) -> NbaMlError:
    """Return the platform's error for one of Google's: what failed, how often it was tried, and the next step."""
    said = _first_line(error)
    text = f"BigQuery, {what} ({google_calls.times(tries, seconds)}): {said}"
    reason = reason_of(error)
    if _CONFLICT.search(said):
        return WriteConflict(f"{text}; nothing was changed. Run the same command again once the other writer is done")
    if transient(error):
        return Unavailable(f"{text}. Nothing can be concluded from this; run the same command again in a minute")
    if reason in ("quotaExceeded", "billingTierLimitExceeded"):
        return Unavailable(f"{text}. A quota is used up: wait until it is renewed, or ask for more at IAM & Admin > Quotas")
    if reason == "bytesBilledLimitExceeded" or "bytes billed" in said:
        return UsageError(f"{text}. Narrow the dates, or raise NBA_ML_MAXIMUM_BYTES_BILLED")
    if isinstance(error, (exceptions.Unauthorized, auth.GoogleAuthError)):
        return UsageError(f"{text}. Log in with `gcloud auth application-default login`, or correct the connection google_cloud_default")
    if isinstance(error, exceptions.Forbidden):
        step = _permission_step(said)
        return (PermissionMissing if "roles/" in step else UsageError)(f"{text}. {step}")
    if isinstance(error, exceptions.NotFound):
        return Missing(f"{text}. {_missing_step(said)}")
    if isinstance(error, exceptions.BadRequest) and "project" in said.lower() and "invalid" in said.lower():
        return UsageError(f"{text}. Set NBA_ML_PROJECT to the id of a Google project, as in `gcloud projects list`")
    if isinstance(error, exceptions.BadRequest):
        return BrokenStatement(f"{text}. Run `nba-ml init` if tables are of an older version; docs/tables.md lists tables and columns")
    return NbaMlError(f"{text}. Run `nba-ml doctor`")


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "message", "") or error).strip() or type(error).__name__
    return _REPEATED.sub("", _ADDRESS.sub("", said.splitlines()[0])).rstrip(".")


def _permission_step(said: str) -> str:
    if "has not been used" in said or "is disabled" in said:
        return "Run `gcloud services enable bigquery.googleapis.com bigquerystorage.googleapis.com`"
    if "billing" in said.lower():
        return "Link a billing account to the project that NBA_ML_PROJECT names"
    found = _PERMISSION.search(said)
    role = _ROLES.get(found.group(), "roles/bigquery.dataEditor") if found else "roles/bigquery.dataEditor and roles/bigquery.jobUser"
    return f"Ask for {role} on the project that NBA_ML_PROJECT names, then run `nba-ml doctor`"


def _missing_step(said: str) -> str:
    if "project" in said.lower().partition("not found")[2][:12]:
        return "Set NBA_ML_PROJECT to the id of a Google project, as in `gcloud projects list`"
    return "Check NBA_ML_PROJECT, NBA_ML_DATASET_PREFIX and NBA_ML_LOCATION, then run `nba-ml init`"
