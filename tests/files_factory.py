"""A tiny made-up league as the parquet files of the `files` source: four teams, two games a day."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from nba_ml import calendar

TEAMS = ("ATL", "BOS", "CHI", "DEN")
PLAYERS = 8
_ROUNDS = ((0, 1, 2, 3), (2, 0, 3, 1), (0, 3, 1, 2))


def player_id(team: str, number: int) -> int:
    return 1000 * (TEAMS.index(team) + 1) + number


def league(first: date, last: date) -> dict[str, pl.DataFrame]:
    """File name → frame, with the types that real files have."""
    games, box, props, lines = [], [], [], []
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        order = [TEAMS[index] for index in _ROUNDS[offset % 3]]
        for number, (home, away) in enumerate((order[:2], order[2:])):
            year = calendar.season_year(day)
            game_id = f"002{year % 100:02d}{2 * (day - calendar.opener(year)).days + number + 1:05d}"
            same = {"season": calendar.season_of(day), "season_type": "Regular Season", "game_id": game_id, "game_date": day}
            tipoff = datetime.combine(day, time(23), UTC) + timedelta(minutes=30 * number)
            points = {team: [_points(team, slot, offset) for slot in range(PLAYERS)] for team in (home, away)}
            if sum(points[home]) == sum(points[away]):
                points[home][0] += 1
            total = {team: sum(scored) for team, scored in points.items()}
            score = {"home_pts": total[home], "away_pts": total[away], "ot": False}
            games.append({**same, "home": home, "away": away, **score, "neutral_site": False, "tipoff_utc": tipoff, "src": "made up"})
            for team, opponent in ((home, away), (away, home)):
                won = "W" if total[team] > total[opponent] else "L"
                for slot, scored in enumerate(points[team]):
                    player = {"player_id": player_id(team, slot), "player_name": f"{team.title()} Player {'ABCDEFGH'[slot]}"}
                    sides = {"team": team, "opp": opponent, "is_home": team == home, "neutral_site": False}
                    box.append({**same, **player, **sides, "wl": won, "min": 38 - 2 * slot, "pts": scored, "reb": slot, "src": "made up"})
                    quote = {"bookmaker": "book", "line_kind": "last_snapshot", "line": 22.5 - 2 * slot, "over_odds": -115.0}
                    known = {"snapshot_ts": tipoff - timedelta(hours=1), "commence_ts": tipoff, "odds_suspect": False}
                    names = {"player_raw": player["player_name"], "team": team, "opp": opponent, "under_odds": -105.0, "source": "feed"}
                    props.append({**same, **player, **quote, **known, **names})
            quote = {**same, "home": home, "away": away, "bookmaker": "book", "source": "feed", "snapshot_ts": None, "pre_tip": None}
            none = dict.fromkeys(("line", "home_odds", "away_odds", "over_odds", "under_odds"))
            lines.append({**quote, **none, "market": "moneyline", "home_odds": -120.0, "away_odds": 105.0})
            lines.append({**quote, **none, "market": "total", "line": 220.5, "over_odds": -110.0, "under_odds": -110.0})
    return {
        "schedule.parquet": _typed(games, home_pts=pl.Int16, away_pts=pl.Int16),
        "player_box.parquet": _typed(box, min=pl.Int16, pts=pl.Int16, reb=pl.Int16),
        "player_points_props.parquet": _typed(props),
        "game_lines.parquet": _typed(
            lines, snapshot_ts=pl.Datetime("us", "UTC"), pre_tip=pl.Boolean, **dict.fromkeys(("line", "home_odds"), pl.Float64)
        ),
    }


def injuries(day: date, *names: str, team: str = "ATL", status: str = "Out") -> pl.DataFrame:
    """An injury snapshot of that day's noon (UTC), without ids."""
    moment = datetime.combine(day, time(12), UTC)
    rows = [{"snapshot_ts": moment, "team": team, "player_raw": name, "status": status, "et_date": day} for name in names]
    return _typed(rows).with_columns(player_id=pl.lit(None, pl.Int64), player_name=pl.lit(None, pl.String))


def write(folder: Path, frames: dict[str, pl.DataFrame]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        frame.write_parquet(folder / name)
    return folder


def _points(team: str, slot: int, offset: int) -> int:
    return (31 - 3 * slot + 5 * offset + 7 * TEAMS.index(team) + slot * offset) % 13 + 2 * (PLAYERS - slot)


def _typed(rows: list[dict], **types: pl.DataType) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    dates = [name for name in ("game_date", "et_date") if name in frame.columns]
    return frame.with_columns(pl.col(dates).cast(pl.Datetime("us"))).cast(types)
