"""Google's errors in the platform's words, and the bounds of repetition."""

import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from nba_ml import google_calls
from nba_ml.errors import NbaMlError, PermissionMissing, Unavailable, UsageError
from nba_ml.warehouse.bigquery_errors import BrokenStatement, Missing, WriteConflict, explained, transient, tried


def google(kind, message, reason=""):
    return kind(message, errors=[{"reason": reason, "message": message}] if reason else [])


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (google(exceptions.NotFound, "Not found: Dataset p:nba_raw was not found in location EU"), Missing, "nba-ml init"),
        (google(exceptions.NotFound, "Not found: Project p"), Missing, "NBA_ML_PROJECT"),
        (
            google(exceptions.Forbidden, "Access Denied: Project p: User does not have bigquery.jobs.create permission", "accessDenied"),
            PermissionMissing,
            "roles/bigquery.jobUser",
        ),
        (
            google(exceptions.Forbidden, "Access Denied: Table t: Permission bigquery.tables.getData denied on table t", "accessDenied"),
            PermissionMissing,
            "roles/bigquery.dataViewer",
        ),
        (google(exceptions.Forbidden, "BigQuery API has not been used in project 1 before"), UsageError, "gcloud services enable"),
        (google(exceptions.Forbidden, "Quota exceeded: too many loads", "quotaExceeded"), Unavailable, "quota"),
        (google(exceptions.Forbidden, "Exceeded rate limits", "rateLimitExceeded"), Unavailable, "again in a minute"),
        (google(exceptions.TooManyRequests, "slow down"), Unavailable, "again in a minute"),
        (google(exceptions.InternalServerError, "an internal error", "backendError"), Unavailable, "again in a minute"),
        (google(exceptions.GatewayTimeout, "too late"), Unavailable, "again in a minute"),
        (
            google(
                exceptions.InternalServerError, "Query exceeded limit for bytes billed: 1. 2 or higher required", "bytesBilledLimitExceeded"
            ),
            UsageError,
            "NBA_ML_MAXIMUM_BYTES_BILLED",
        ),
        (google(exceptions.BadRequest, "Unrecognized name: points at [1:8]", "invalidQuery"), BrokenStatement, "nba-ml init"),
        (google(exceptions.BadRequest, "Invalid project ID 'X'"), UsageError, "NBA_ML_PROJECT"),
        (
            google(exceptions.BadRequest, "Transaction is aborted due to concurrent update against table p:d.t", "invalidQuery"),
            WriteConflict,
            "nothing was changed",
        ),
        (
            google(exceptions.BadRequest, "Could not serialize access to table p:d.t due to concurrent update"),
            WriteConflict,
            "other writer",
        ),
        (auth.DefaultCredentialsError("Your default credentials were not found"), UsageError, "gcloud auth application-default login"),
        (auth.RefreshError("invalid_grant"), UsageError, "gcloud auth application-default login"),
        (requests.exceptions.ReadTimeout("read timed out"), Unavailable, "again in a minute"),
        (requests.exceptions.ChunkedEncodingError("connection broken"), Unavailable, "again in a minute"),
        (exceptions.MethodNotImplemented("no such thing"), NbaMlError, "nba-ml doctor"),
    ],
)
def test_each_error_names_call_tries_and_next_step_in_one_line(error, kind, words):
    found = explained(error, "reading nba_raw.schedule", 3, 4.2)
    assert type(found) is kind
    assert words in str(found)
    assert "reading nba_raw.schedule (tried 3 times in 4 s)" in str(found)
    assert "\n" not in str(found)


def test_what_the_address_and_the_job_add_to_a_message_is_left_out():
    error = exceptions.BadRequest("POST http://x/bigquery/v2/projects/p/jobs: Unrecognized name: a; reason: invalidQuery, location: query")
    assert str(explained(error, "x", 1, 0)).startswith("BigQuery, x (tried once): Unrecognized name: a. Run")


def test_a_broken_certificate_is_not_tried_again():
    assert not transient(requests.exceptions.SSLError("certificate verify failed"))


def test_what_may_heal_is_tried_again_and_then_answers(monkeypatch):
    answers = iter([requests.exceptions.ConnectionError("reset"), exceptions.ServiceUnavailable("busy"), "rows"])

    def call():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert tried("asking", call) == "rows"


def test_what_does_not_heal_ends_within_the_bound_and_says_how_often(monkeypatch):
    monkeypatch.setattr(google_calls, "RETRY_SECONDS", 0.6)
    calls = []

    def call():
        calls.append(1)
        raise exceptions.ServiceUnavailable("busy")

    with pytest.raises(Unavailable, match=r"asking .*tried") as refusal:
        tried("asking", call)
    assert f"tried {len(calls)} times" in str(refusal.value)
    assert len(calls) > 1
    assert google_calls.REQUEST_SECONDS + google_calls.RETRY_SECONDS < 30


def test_a_refusal_is_not_repeated():
    calls = []

    def call():
        calls.append(1)
        raise exceptions.NotFound("Not found: Dataset p:nba_raw")

    with pytest.raises(Missing, match="tried once"):
        tried("asking", call)
    assert len(calls) == 1


def test_a_fault_of_our_own_is_no_answer_of_bigquery():
    with pytest.raises(ZeroDivisionError):
        tried("asking", lambda: 1 / 0)
