"""How the platform speaks to people from Airflow: one notifier for all that happens to tasks, runs and deadlines.

What is told, when, and what becomes of it while Slack or the warehouse is down is `nba_ml.notices`; here are Airflow's connections and contexts.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

from nba_ml import by_hand
from nba_ml.notices.tellings import NOTICES, URGENT

if TYPE_CHECKING:
    from slack_sdk.webhook import WebhookClient

    from nba_ml.alerts import Alert, Severity
    from nba_ml.context import Context

log = logging.getLogger(__name__)

Event = Literal["task failed", "run failed", "run succeeded", "deadline missed", "approval wanted"]

CONNECTIONS = {URGENT: "slack_webhook", NOTICES: "slack_webhook_notices"}
"""Channel → the Airflow connection of its webhook."""

_LONGEST_ERROR = 1200
_LOCK_WAIT_SECONDS = 20.0
_PATIENCE_SECONDS = 25.0
_SHORT_WAIT_SECONDS = 5.0
"""For a run's failure: with the patience above and the post, it has to end before Airflow ends its callback, after 50 seconds."""

_SILENT = "its process ended without a word: killed, or out of memory"


class _Dag(NamedTuple):
    """What a DAG's failure means: how bad it is while its slate is not over, what waits for it, and the same by hand."""

    severity: "Severity"
    blocks: str | None
    by_hand: Callable[[date | None], str]


_DAGS = {
    "nba_ingest": _Dag("urgent", "Slates are predicted from old results and lines, or not at all.", lambda _: by_hand.ingest()),
    "nba_train": _Dag("warning", "No new version; the one that serves stays.", lambda _: "nba-ml ready"),
    "nba_approve": _Dag("warning", "The version that waits does not run.", lambda _: "nba-ml release show"),
    "nba_release": _Dag("warning", "What runs stays as it is.", lambda _: "nba-ml release show"),
    "nba_predict": _Dag("urgent", "The predictions of the slate are not published.", by_hand.predict),
    "nba_update": _Dag("warning", "The slate is not looked at again; the morning's predictions count.", by_hand.predict),
    "nba_grade": _Dag("warning", "The slate is not graded; guards and reports do without it.", by_hand.grade),
    "nba_monitor": _Dag("urgent", "Nobody watches performance, drift and missed runs.", lambda _: "nba-ml monitor"),
}
_OTHER = _Dag("warning", None, lambda _: "nba-ml doctor")


class NbaNotifier(SlackWebhookNotifier):
    """Writes an event of Airflow as an alert, or closes it, and delivers what is due; never raises, so that no task's result depends on it.

    Parameters
    ----------
    event : str
        What happened.
    context : mapping, optional
        Airflow's, where the notifier is awaited.
    """

    template_fields = ()

    def __init__(self, event: Event, *, context: Any = None) -> None:
        super().__init__(text=event, context=context)
        self.event = event

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render nothing: no text is a template, and the DAG processor's contexts lack much of what templates need."""

    def notify(self, context: Any) -> None:
        """Tell people of the event."""
        try:
            _EVENTS[self.event](_open(), context)
        except Exception:
            log.exception("%s could not be told", self.event)

    async def async_notify(self, context: Any) -> None:
        """Tell people of the event from the triggerer, in a thread: the warehouse and the post would hold up its other work."""
        from asgiref.sync import sync_to_async

        await sync_to_async(self.notify, thread_sensitive=False)(context)


def webhook(channel: str) -> "WebhookClient | None":
    """Return the client of a channel's connection; None where there is no such connection."""
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    from nba_ml.notices.slack import TIMEOUT_SECONDS, quiet_log

    hook = SlackWebhookHook(slack_webhook_conn_id=CONNECTIONS[channel], timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=quiet_log)
    try:
        return hook.client
    except AirflowNotFoundException as error:
        log.debug("%s", error)
        return None


def _open() -> "Context":
    """Open the platform; a callback waits less for the warehouse than a task, and does without a connection of Google's that is no good."""
    from dataclasses import replace

    from nba_context import open_context

    from nba_ml.clients import APPLICATION_DEFAULT
    from nba_ml.context import Context
    from nba_ml.errors import UsageError
    from nba_ml.settings import load_settings

    try:
        context = open_context()
    except UsageError:
        log.exception("the platform opens without the clients of its connections")
        context = Context(load_settings(), replace(APPLICATION_DEFAULT, slack=webhook))
    return _waiting(context, _LOCK_WAIT_SECONDS)


def _waiting(platform: "Context", seconds: float) -> "Context":
    """Return a platform that waits no longer than this for the warehouse."""
    from dataclasses import replace

    wait = min(platform.settings.lock_wait_seconds, seconds)
    return replace(platform, settings=platform.settings.model_copy(update={"lock_wait_seconds": wait}))


def _task_failed(platform: "Context", context: Mapping[str, Any]) -> None:
    from nba_ml.notices import delivery

    error, ti = context.get("exception"), context["ti"]
    if getattr(error, "alerted", None):
        # Whoever refused wrote an alert that says more.
        delivery.deliver_quietly(platform)
        return
    what = f"Task {ti.task_id} of {ti.dag_id} failed: {_said(error) if error else _SILENT}"
    occasion = f"{ti.run_id} {ti.map_index} {ti.try_number}"
    delivery.announce(platform, _alert(f"task.{ti.dag_id}.{ti.task_id}", what, ti.dag_id, _slate(context), occasion, ti.log_url))


def _run_failed(platform: "Context", context: Mapping[str, Any]) -> None:
    from nba_ml.notices import delivery

    dag_id, run_id, slate, why = context["dag"].dag_id, context["run_id"], _slate(context), context["reason"]
    platform = _waiting(platform, _SHORT_WAIT_SECONDS)
    if why == "task_failure" and _told_by_a_task(platform, dag_id, run_id, slate):
        return
    said = _SILENT if why == "task_failure" else why.replace("_", " ")
    what = f"The run {run_id} of {dag_id} failed: {said}"
    delivery.announce(platform, _alert(f"run.{dag_id}", what, dag_id, slate, run_id, _address(dag_id, run_id)))


def _told_by_a_task(platform: "Context", dag_id: str, run_id: str, slate: date | None) -> bool:
    """Wait for the alert of the task that failed the run: a task that is killed tells nothing, and one that is not may still be at it."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        for alert in _told(platform):
            in_run = any(each.startswith(f"{run_id} ") for each in (alert["occasions"] or "").splitlines())
            if (alert["cause"].startswith(f"task.{dag_id}.") and in_run) or (
                alert["cause"].startswith("burst.") and alert["slate_date"] == slate
            ):
                return True
        if time.monotonic() >= until:
            return False
        time.sleep(1)


def _told(platform: "Context") -> list[dict[str, Any]]:
    """Return the alerts that are open, also those in files; only these where the warehouse can't be asked: better told twice than never."""
    from nba_ml import alerts
    from nba_ml.notices import kept

    told = [{"cause": alert.cause, "occasions": alert.occasion, "slate_date": alert.slate_date} for alert, _ in kept.waiting(platform)]
    try:
        return told + alerts.open_alerts(platform).to_dicts()
    except Exception:
        log.exception("the warehouse can't be asked which alerts are open")
        return told


def _run_succeeded(platform: "Context", context: Mapping[str, Any]) -> None:
    from nba_ml.notices import delivery

    dag_id, slate = context["dag"].dag_id, _slate(context)
    about = f" for the slate of {slate}" if slate else ""
    stems = [f"{kind}.{dag_id}" for kind in ("task", "run", "deadline")]
    delivery.announce_over(platform, stems, f"A run of {dag_id}{about} succeeded.", slate)


def _deadline_missed(platform: "Context", context: Mapping[str, Any]) -> None:
    from nba_ml.calendar import NEW_YORK
    from nba_ml.notices import delivery

    run = context["dag_run"]
    dag_id, run_id, slate = run["dag_id"], run["dag_run_id"], _date(run.get("partition_key"))
    due = context["deadline"]["deadline_time"]
    due = due if isinstance(due, datetime) else datetime.fromisoformat(due)
    about = f" for the slate of {slate}" if slate else ""
    what = f"{dag_id}{about} was not done by {due.astimezone(NEW_YORK):%H:%M} New York. It is {run.get('state') or 'under way'}."
    delivery.announce(platform, _alert(f"deadline.{dag_id}", what, dag_id, slate, run_id, _address(dag_id, run_id)))


def _approval_wanted(platform: "Context", context: Mapping[str, Any]) -> None:
    from nba_ml.notices import delivery
    from nba_ml.registry import telling

    ti = context["ti"]
    link = context["task"].generate_link_to_ui(task_instance=ti)
    delivery.announce(platform, telling.wanted(ti.xcom_pull(task_ids="question"), ti.run_id, link))


_EVENTS: dict[str, Callable[["Context", Mapping[str, Any]], None]] = {
    "task failed": _task_failed,
    "run failed": _run_failed,
    "run succeeded": _run_succeeded,
    "deadline missed": _deadline_missed,
    "approval wanted": _approval_wanted,
}


def _alert(stem: str, what: str, dag_id: str, slate: date | None, occasion: str, link: str) -> "Alert":
    from nba_context import today

    from nba_ml.alerts import Alert

    dag = _DAGS.get(dag_id, _OTHER)
    return Alert(
        cause=f"{stem}:{slate}" if slate else stem,
        # What fails for a slate that is over, as in a backfill, is late for nobody.
        severity=dag.severity if slate is None or slate >= today() else "warning",
        what=what,
        next_step=f"Mend what it says and clear the task, or by hand: {dag.by_hand(slate)}",
        occasion=occasion,
        slate_date=slate,
        blocks=dag.blocks,
        link=link,
    )


def _said(error: BaseException | str) -> str:
    """Return the first line of an error, and the next step that the platform's own longer ones end with."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    name = "" if isinstance(error, str) else type(error).__name__
    ends = lines[-1:] if lines[1:] and lines[-1].startswith("Next: ") else []
    return ": ".join(filter(None, (name, " ".join([*lines[:1], *ends])[:_LONGEST_ERROR])))


def _slate(context: Mapping[str, Any]) -> date | None:
    return _date(context.get("partition_key") or context.get("params", {}).get("slate"))


def _date(text: str | None) -> date | None:
    from nba_context import day

    from nba_ml.errors import UsageError

    try:
        return day(text)
    except UsageError:
        return None


def _address(dag_id: str, run_id: str) -> str:
    from urllib.parse import quote

    from airflow.sdk.configuration import conf

    return f"{conf.get('api', 'base_url', fallback='http://localhost:8080').rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"
