"""A tiny league: ten teams, five games a day, seven players a team, quotes for the slate's first four of each."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from nba_ml import calendar
from nba_ml.context import Context
from nba_ml.warehouse.schema import table

TEAMS = ("ATL", "BOS", "CHI", "DEN", "HOU", "IND", "LAC", "MIA", "NYK", "PHX")
PLAYERS = 7
FIRST, SLATE = date(2024, 1, 2), date(2024, 1, 12)


def player_id(team: str, slot: int) -> int:
    return 100 * (TEAMS.index(team) + 1) + slot


def league() -> dict[str, pl.DataFrame]:
    """Table → rows: a game of every team each day from `FIRST` to `SLATE`, whose own results are there too."""
    games, box, quotes = [], [], []
    for offset in range((SLATE - FIRST).days + 1):
        day = FIRST + timedelta(days=offset)
        turned = TEAMS[1:][offset % 9 :] + TEAMS[1:][: offset % 9]
        order = (TEAMS[0], *turned)
        for number in range(5):
            home, away = order[number], order[9 - number]
            tip = datetime.combine(day + timedelta(days=1), time(0, 10 * number), UTC)
            same = {"game_id": f"{offset:03d}{number}", "season": "2023-24", "season_type": "Regular Season", "game_date": day}
            known = {"known_at": calendar.results_known_at(day), "source": "made up"}
            total = {}
            for team, other in ((home, away), (away, home)):
                for slot in range(PLAYERS):
                    points = 24 - 3 * slot + (7 * offset + 3 * slot + TEAMS.index(team)) % 5
                    total[team] = total.get(team, 0) + points
                    person = {"player_id": player_id(team, slot), "player_name": f"{team} {slot}", "team": team, "opponent": other}
                    where = {"is_home": team == home, "neutral_site": False}
                    box.append({**same, **person, **where, **known, "minutes": 36.0 - 4 * slot, "points": points})
                    if day == SLATE and slot < 4:
                        # Every other team's lines lie above the players' form: a slate that is all on one side is no honest one.
                        line = 22.5 - 3 * slot + 6 * (TEAMS.index(team) % 2)
                        quotes.append(a_quote(tip, same["game_id"], **person, line=line))
            score = {"home_points": total[home], "away_points": total[away], "overtime": False}
            fixture = {"home": home, "away": away, "neutral_site": False, "tipoff_utc": tip, "source": "made up"}
            since = {"known_at": calendar.schedule_known_at(day, "Regular Season"), "result_known_at": known["known_at"]}
            games.append({**same, **fixture, **score, **since})
    return {
        "nba_raw.schedule": typed("nba_raw.schedule", games),
        "nba_raw.player_box": typed("nba_raw.player_box", box),
        "nba_raw.prop_lines": typed("nba_raw.prop_lines", quotes),
    }


def a_quote(tip: datetime, game_id: str, *, minutes: int | None = -300, **more) -> dict:
    return {
        "game_date": SLATE,
        "season": "2023-24",
        "game_id": game_id,
        "player_raw": more["player_name"],
        "market": "points",
        "bookmaker": "book",
        "line_kind": "undated_snapshot" if minutes is None else "snapshot",
        "over_odds": -115.0,
        "under_odds": -105.0,
        "odds_suspect": False,
        "captured_at": None if minutes is None else tip + timedelta(minutes=minutes),
        "tipoff_utc": tip,
        "source": "feed",
    } | more


def typed(name: str, rows: list[dict]) -> pl.DataFrame:
    schema = {column: dtype for column, dtype in table(name).schema.items() if column != "id"}
    return pl.DataFrame(rows, schema=schema)


def load(context: Context, frames: dict[str, pl.DataFrame]) -> None:
    context.warehouse.ensure()
    for name, rows in frames.items():
        context.warehouse.upsert(name, rows)
