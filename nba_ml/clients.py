"""Clients of Google and Slack that somebody else opened: Airflow's hooks with the credentials of their connection, or a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from google.cloud import bigquery, storage
    from google.cloud.bigquery_storage_v1 import BigQueryReadClient
    from slack_sdk.webhook import WebhookClient


@dataclass(frozen=True)
class Clients:
    """What stands in for clients with Application Default Credentials and the settings' webhooks; None where there is no stand-in.

    Attributes
    ----------
    bigquery, reader, storage : optional
        Of BigQuery, of its Storage Read API, and of Cloud Storage.
    labels : mapping of str to str
        On every BigQuery job, for the bill and the audit log.
    slack : callable, optional
        Returns the client of a channel's webhook, see `nba_ml.notices.slack`; None where it has none.
    """

    bigquery: Optional["bigquery.Client"] = None
    reader: Optional["BigQueryReadClient"] = None
    storage: Optional["storage.Client"] = None
    labels: Mapping[str, str] = field(default_factory=dict)
    slack: Optional["Callable[[str], WebhookClient | None]"] = None


APPLICATION_DEFAULT = Clients()
"""No stand-in: every client is opened with Application Default Credentials, on an emulator with none."""
