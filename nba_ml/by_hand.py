"""What a person types where a DAG did not do it: each is one line for a shell, with its real dates. Light to import: plugins do."""

from datetime import date, timedelta

from nba_ml import calendar
from nba_ml.rhythm import DAYS_BACK


def ingest(first: date | None = None, last: date | None = None) -> str:
    """Return what loads a span of dates; by default the days that nba_ingest looks back at, up to tomorrow."""
    today = calendar.slate_date(calendar.now())
    return f"nba-ml ingest --from {first or calendar.days_back(today, DAYS_BACK + 1)} --to {last or today + timedelta(days=1)}"


def predict(slate: date | None = None) -> str:
    """Return what predicts a slate, by default today's, from all that is known by now: as nba_predict does, it loads first."""
    day = slate or calendar.slate_date(calendar.now())
    return f"{ingest(calendar.day_before(day), day)} && nba-ml predict --slate {day}"


def grade(slate: date | None = None) -> str:
    """Return what grades a slate, by default yesterday's."""
    return f"nba-ml grade --slate {slate or calendar.day_before(calendar.slate_date(calendar.now()))}"


def too_late(slate: date, dag: str) -> str:
    """Say that nothing can be done for a slate that has begun, and what keeps the next one from the same."""
    return (
        f"Nothing can be done for {slate} any more. For the next slate, see that {dag} is unpaused, and what else is wrong: nba-ml doctor"
    )
