"""What the features of the last slates are compared with: the same weeks of earlier seasons, and the weeks before.

Neither comparison alone will do. The league changes from season to season, and features change with the weeks of a season: in October nobody has
played yet. What differs from both has changed by itself, if it did so further than it ever did in the same weeks of earlier seasons.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

WINDOW_SLATES = 7
"""Slates whose features are compared. A player counts once, with his last row, since his rows have nearly all in common; of a feature that
teammates share, so does a team."""

PHASE_DAYS = 10
"""The same weeks of an earlier season: so many days to each side."""

RECENT_DAYS = 28
"""The weeks before: so many days before the window."""

OFFSETS = (-7, 0, 7)
"""Days from the same day of an earlier season at which that season is looked at as the present one is."""

PLAYER, TEAM = "player_id", "team"

LEAST = {PLAYER: 100, TEAM: 20}
"""With fewer, nothing is compared: the last rounds of the playoffs."""

CALENDAR = (
    *("rest_days", "team_rest", "opponent_rest", "rest_advantage", "back_to_back", "team_games_7", "team_games_14"),
    *("minutes_last_3_days", "minutes_last_7_days", "is_home", "neutral_site", "playoffs", "season_day", "weekday"),
)
"""Features whose values the league's calendar decides: they change with every cup week, and nobody has to be told. Only nulls are judged."""

_REGULAR = "Regular Season"
_BACK_DAYS = PHASE_DAYS + RECENT_DAYS + 20


@dataclass(frozen=True)
class Comparison:
    """Places of rows, one per player, or per team, each.

    Attributes
    ----------
    season : str
        Whose window it is.
    current : array of int
        Of the window.
    phase : array of int
        Of the same weeks of (other) earlier seasons; empty where there are none.
    recent : array of int
        Of the weeks before the window; empty where the season is too young.
    """

    season: str
    current: np.ndarray
    phase: np.ndarray
    recent: np.ndarray


def spans(dates: pl.DataFrame, slate: date) -> list[tuple[date, date]]:
    """Return the spans of dates that it takes to judge a slate, one per season.

    Parameters
    ----------
    dates : DataFrame
        As `with_days` returns them, the slate's among them.
    """
    now = dates.filter(pl.col("game_date") == slate)
    if now.is_empty():
        return []
    season, regular, day = now.select("season", "regular", "day").row(0)
    same = dates.filter((pl.col("regular") == regular) & (pl.col("season") <= season) & (pl.col("day") >= day - _BACK_DAYS))
    near = (pl.col("season") < season) & (pl.col("day") <= day + PHASE_DAYS) | (pl.col("season") == season) & (pl.col("day") <= day)
    found = same.filter(near).group_by("season").agg(first=pl.col("game_date").min(), last=pl.col("game_date").max())
    return [(first, last) for _, first, last in found.sort("season").rows()]


def with_days(dates: pl.DataFrame) -> pl.DataFrame:
    """Return season, game_date, regular (whether in the regular season) and day: days since the season's first date of that stage.

    Parameters
    ----------
    dates : DataFrame
        season, season_type and game_date of all games of these seasons so far.
    """
    staged = dates.group_by("season", "game_date").agg(regular=(pl.col("season_type") == _REGULAR).any())
    since = pl.col("game_date") - pl.col("game_date").min().over("season", "regular")
    return staged.with_columns(day=since.dt.total_days()).sort("game_date")


def comparisons(rows: pl.DataFrame, slate: date, unit: str) -> Iterator[Comparison]:
    """Yield what is compared: first the slate's own window, then, for the measure, those of earlier seasons.

    Parameters
    ----------
    rows : DataFrame
        season, regular, day, game_date, player_id and team of feature rows, ordered by date.
    unit : str
        `PLAYER` or `TEAM`: who counts once.
    """
    placed = rows.with_row_index("place")
    now = placed.filter(pl.col("game_date") == slate)
    if now.is_empty():
        return
    season, regular, day = now.select("season", "regular", "day").row(0)
    same = placed.filter(pl.col("regular") == regular)
    earlier = [str(name) for name in same.filter(pl.col("season") < season)["season"].unique().sort()]
    own = _comparison(same, season, day, earlier, unit)
    if len(own.current) < LEAST[unit]:
        return
    yield own
    for name in earlier:
        for offset in OFFSETS:
            found = _comparison(same, name, day + offset, [other for other in earlier if other != name], unit)
            if len(found.current) >= LEAST[unit]:
                yield found


def _comparison(rows: pl.DataFrame, season: str, day: int, others: list[str], unit: str) -> Comparison:
    own = rows.filter((pl.col("season") == season) & (pl.col("day") <= day))
    days = own["day"].unique().sort()
    first = days[-min(WINDOW_SLATES, len(days))] if len(days) else 0
    before = (pl.col("day") < first) & (pl.col("day") >= first - RECENT_DAYS)
    phase = [rows.filter((pl.col("season") == name) & ((pl.col("day") - day).abs() <= PHASE_DAYS)) for name in others]
    pools = [places for part in phase if len(places := _last(part, unit)) >= LEAST[unit]]
    recent = _last(own.filter(before), unit)
    return Comparison(
        season,
        _last(own.filter(pl.col("day") >= first), unit),
        np.concatenate(pools) if pools else np.empty(0, dtype=int),
        recent if len(recent) >= LEAST[unit] else np.empty(0, dtype=int),
    )


def _last(rows: pl.DataFrame, unit: str) -> np.ndarray:
    """Return the place of each player's, or team's, last row."""
    return rows.unique(unit, keep="last", maintain_order=True)["place"].to_numpy().astype(int)
