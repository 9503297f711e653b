"""Whether people can be told: what `nba-ml doctor` and `nba-ml alerts` say of it."""

from typing import Any

import polars as pl

from nba_ml import alerts
from nba_ml.context import Context
from nba_ml.notices import outbox, slack, spool
from nba_ml.notices.tellings import SLACK

SET_UP = "set NBA_ML_SLACK_WEBHOOK (in Airflow, the connection slack_webhook), see docs/alerts.md"


def health(context: Context) -> dict[str, Any]:
    """Return how telling people goes.

    Returns
    -------
    dict
        "configured" (whether the settings or the clients at hand name a webhook), "waiting" (alerts that are still to be told), "down" (what is
        said of each channel that takes no messages), "files" (in the home, still to be taken in), "unreadable"
        (files there of which nothing could be made), "refused" (open alerts that Slack refused for what they
        say: cause → why), "last_delivered" (or None).
    """
    down = alerts.open_alerts(context).filter(pl.col("cause").str.starts_with(f"{SLACK}:"))
    return {
        "configured": bool(slack.webhooks(context)),
        "waiting": len(outbox.pending(context)),
        "down": down["what"].to_list(),
        "files": len(spool.files(context)),
        "unreadable": [str(path) for path in spool.unreadable(context)],
        "refused": outbox.refused(context),
        "last_delivered": outbox.last_delivered(context),
    }
