"""Whether it lives, by the warehouse and the calendar alone: for whoever asks from outside, as cron does, while no scheduler may be running."""

from typing import Any

from nba_ml import by_hand, calendar, slate_calendar
from nba_ml.context import Context
from nba_ml.errors import BadInput
from nba_ml.monitoring import expected
from nba_ml.notices.health import health
from nba_ml.rhythm import KINDS

UNPAUSE = "in Airflow, see whether nba_monitor is there, unpaused and green"


def heartbeat(context: Context) -> dict[str, Any]:
    """Return what is overdue; writes nothing.

    Returns
    -------
    dict
        "ok", "checked_at", "never_ran" (whether nothing was ever planned here), "problems": a list of {"what", "next_step"}, the most pressing
        first, and "next": the kind, slate and hour of what is due next, None where nothing is.
    """
    rows, planned = expected.outlook(context)
    late = expected.overdue(rows)
    problems = _unplanned(context)
    if late and not planned:
        first = min(row["due_at"] for row in late).astimezone(calendar.NEW_YORK)
        what = f"nothing has ever been watched here: no expected run is planned, and work is due since {first:%Y-%m-%d %H:%M} New York"
        problems.append({"what": what, "next_step": UNPAUSE})
    for kind in sorted({row["kind"] for row in late}, key=_pressing):
        own = [row for row in late if row["kind"] == kind]
        last, more = own[-1], f", and {len(own) - 1} slates before it" if len(own) > 1 else ""
        due = last["due_at"].astimezone(calendar.NEW_YORK)
        said = f"{kind}: {last['what']} (due {due:%Y-%m-%d %H:%M} New York){more}"
        problems.append({"what": said, "next_step": expected.next_step(kind, own)})
    problems += [{"what": what, "next_step": "nba-ml alerts send"} for what in _untold(context)]
    coming = sorted((row for row in rows if row["state"] == "expected"), key=lambda row: (row["due_at"], row["kind"]))
    following = next((row for row in coming if row["due_at"] > calendar.now()), None)
    return {
        "ok": not problems,
        "checked_at": calendar.now().isoformat(),
        "never_ran": not planned,
        "problems": problems,
        "next": following
        and {"kind": following["kind"], "slate_date": str(following["slate_date"]), "due_at": following["due_at"].isoformat()},
    }


def sentence(found: dict[str, Any]) -> str:
    """Return a heartbeat in one line, with the next step."""
    if found["problems"]:
        first, more = found["problems"][0], len(found["problems"]) - 1
        return f"OVERDUE: {first['what']}{f'; {more} more problems' if more else ''}. Next: {first['next_step']}"
    never = "nothing has run here yet; " if found["never_ran"] else ""
    coming = found["next"]
    return f"OK: {never}" + (
        f"{coming['kind']} of {coming['slate_date']} is due next, at {coming['due_at']}" if coming else "nothing is due"
    )


def _unplanned(context: Context) -> list[dict[str, str]]:
    """Say that the scheduler can't read which dates are slates: then it plans no run at all."""
    try:
        slate_calendar.load(context.settings.home_folder)
    except (BadInput, OSError) as error:
        return [{"what": f"Airflow plans no slates: {error}", "next_step": by_hand.ingest()}]
    return []


def _untold(context: Context) -> list[str]:
    """Say where alerts that should have been told were not."""
    found = health(context)
    said = [f"{what} {found['waiting']} alerts are still to be told" for what in found["down"]]
    return said + ([f"{found['files']} alerts are kept in files, the warehouse did not take them"] if found["files"] else [])


def _pressing(kind: str) -> int:
    return ("predict", "ingest", *KINDS).index(kind)
