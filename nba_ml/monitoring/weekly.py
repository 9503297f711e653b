"""The weekly report: one self-contained HTML page in the store on how good the published numbers were, what drifted, and what was done."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from nba_ml import alerts, calendar
from nba_ml.context import Context
from nba_ml.monitoring import consequences, drift, performance
from nba_ml.registry import graded
from nba_ml.registry.sealed import sha256
from nba_ml.registry.steps import open_log
from nba_ml.warehouse.port import LATEST

CAUSE = "monitor.report"
FOLDER = "reports/monitoring"
_DAYS = 7
_SHOWN_FEATURES = 8


def write(context: Context, slate: date, mode: str) -> dict[str, Any]:
    """Write the report of the week of a slate to the store; the same content has the same name, and is written once.

    Returns
    -------
    dict
        "week" (as in 2025-W02), "report" (address).
    """
    found = collect(context, slate, mode)
    page = render(found)
    key = f"{FOLDER}/{found['week']}/{slate}-{sha256(page)[:8]}.html"
    context.store.create(key, page)
    return {"week": found["week"], "report": context.store.url_of(key)}


def tell(context: Context, slate: date, mode: str, today: date) -> dict[str, Any]:
    """On Mondays, write the report of the week that ended and tell of it, once; on other days, and without a slate in the week, do nothing.

    Returns
    -------
    dict
        "week" and "report"; None where nothing was written.
    """
    week = week_of(slate)
    told = alerts.all_alerts(context).filter((pl.col("cause") == CAUSE) & (pl.col("occasion") == week))
    if today.weekday() != 0 or (today - slate).days > _DAYS or told.height:
        return {"week": None, "report": None}
    done = write(context, slate, mode)
    text = f"The week {week} of the published numbers: errors, calibration, drift, and what was done."
    alerts.note(
        context, alerts.Alert(CAUSE, "notice", text, "nba-ml monitor --report", occasion=week, slate_date=slate, link=done["report"])
    )
    return done


def week_of(day: date) -> str:
    """Return the ISO week of a date, as in ``2025-W02``."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def collect(context: Context, slate: date, mode: str) -> dict[str, Any]:
    """Return all that the page shows, JSON-able but for dates.

    Returns
    -------
    dict
        "week", "slate", "mode", "environment", "version"; "windows" (rows of nba_ops.performance_daily that end with the slate), "season" (those of
        the published ensemble over 7 and 30 slates, all and lined, since the opener), "judged" (see `consequences.judge`), "features" (those that
        drifted most), "alerts" (open ones, and those that opened or ended in the week), "releases" (entries of the week).
    """
    first = calendar.opener(calendar.season_year(slate))
    where = {"mode": mode, "in_sample": False, "model_version": performance.PUBLISHED, "system_id": [graded.PUBLISHED, performance.MODEL]}
    rows = context.warehouse.read(performance.TABLE, as_of=LATEST, dates=(first, slate), where=where)
    log = open_log(context)
    drifted = context.warehouse.read(
        drift.TABLE, as_of=LATEST, dates=(slate, slate), where={"mode": mode, "model_version": log.rollout.serving or "", "kind": "feature"}
    )
    since = calendar.end_of(slate - timedelta(days=_DAYS))
    seen = alerts.all_alerts(context).filter(
        pl.col("resolved_at").is_null() | (pl.col("opened_at") >= since) | (pl.col("resolved_at") >= since), pl.col("cause") != CAUSE
    )
    last, order = pl.col("slate_date") == slate, ["system_id", "population", "window_slates"]
    return {
        "week": week_of(slate),
        "slate": slate,
        "mode": mode,
        "environment": context.settings.environment,
        "version": log.rollout.serving,
        "windows": rows.filter(last).sort(order).to_dicts(),
        "season": rows.filter(pl.col("system_id") == graded.PUBLISHED).sort("slate_date").to_dicts(),
        "judged": consequences.judge(context, slate, mode),
        "features": drifted.sort("value", "name", descending=[True, False]).head(_SHOWN_FEATURES).to_dicts(),
        "alerts": seen.to_dicts(),
        "releases": [entry for entry in log.entries if entry.created_at >= since.isoformat()],
    }


def render(found: dict[str, Any]) -> bytes:
    """Return the page; the same content gives the same bytes."""
    from markupsafe import Markup

    from nba_ml.monitoring import weekly_plots as plots
    from nba_ml.training.pages import environment

    drawn = {
        "lead": plots.lead(found["season"]),
        "errors": plots.errors(found["season"]),
        "shares": plots.shares(found["season"]),
    }
    figures = {name: None if svg is None else Markup(svg) for name, svg in drawn.items()}  # noqa: S704 -- made by plots, no input in it
    template = environment(Path(__file__).parent, what=consequences.WORDS.__getitem__).get_template("weekly.html.j2")
    return template.render(**found, figures=figures).encode()
