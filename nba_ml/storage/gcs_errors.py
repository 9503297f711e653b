"""Google Cloud Storage's errors in the platform's words: which call, how often it was tried, what is wrong, and the next step."""

from google.api_core import exceptions
from google.auth import exceptions as auth

from nba_ml import google_calls
from nba_ml.errors import NbaMlError, PermissionMissing, Unavailable, UsageError

PERMISSIONS = {
    "creating": ("storage.objects.create", "roles/storage.objectCreator"),
    "reading": ("storage.objects.get", "roles/storage.objectViewer"),
    "looking": ("storage.objects.get", "roles/storage.objectViewer"),
    "listing": ("storage.objects.list", "roles/storage.objectViewer"),
}
"""First word of a call → the permission that it needs, and the smallest predefined role that holds it."""


def transient(error: BaseException) -> bool:
    """Tell whether the same request may succeed a moment later: bytes that were damaged on their way among them."""
    return google_calls.transient(error) or isinstance(error, exceptions.DataLoss)


def explained(error: BaseException, bucket: str, what: str, tries: int, seconds: float) -> NbaMlError:
    """Return the platform's error for one of Google's.

    Parameters
    ----------
    error : Exception
    bucket : str
        As in ``gs://bucket``.
    what : str
        The call for people; its first word is a key of `PERMISSIONS`.
    tries : int
    seconds : float
        For how long it was tried.
    """
    text = f"{bucket}, {what} ({google_calls.times(tries, seconds)}): {_first_line(error)}"
    if transient(error):
        unknown = "Whether the object is there now is not known" if what.startswith("creating") else "Nothing can be concluded from this"
        return Unavailable(f"{text}. {unknown}; run the same command again in a minute")
    if isinstance(error, (exceptions.Unauthorized, auth.GoogleAuthError)):
        return UsageError(f"{text}. Log in with `gcloud auth application-default login`, or correct the connection google_cloud_default")
    if isinstance(error, exceptions.Forbidden):
        permission, role = PERMISSIONS[what.split()[0]]
        return PermissionMissing(
            f"{text}. The account needs {permission}, as in {role}: `{grant_of(bucket, role)}`, then run `nba-ml doctor`"
        )
    if isinstance(error, exceptions.NotFound):
        return UsageError(
            f"{text}. There is no such bucket: correct NBA_ML_STORE, or `gcloud storage buckets create {bucket} --uniform-bucket-level-access`"
        )
    if isinstance(error, exceptions.BadRequest):
        return UsageError(f"{text}. Correct NBA_ML_STORE: gs://bucket/prefix")
    return NbaMlError(f"{text}. Run `nba-ml doctor`")


def grant_of(bucket: str, role: str) -> str:
    """Return the command that gives a role on a bucket such as ``gs://bucket``."""
    return f"gcloud storage buckets add-iam-policy-binding {bucket} --member=serviceAccount:… --role={role}"


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "message", "") or error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".")
