"""A context without a warehouse file, and one good frame per suite."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from nba_ml.context import Context
from nba_ml.settings import Settings
from nba_ml.storage.local import LocalStore
from nba_ml.validation.suites import TEAMS
from nba_ml.warehouse.schema import table

FEATURES = "nba_predictions.ml_feature_store_v2"
FIRST = date(2024, 1, 1)


class MemoryWarehouse:
    """Keeps what is written, by id, and hands out what a test put in."""

    def __init__(self):
        self.rows = {}
        self.stored = {}

    def upsert(self, name, rows):
        kept = self.rows.setdefault(name, {})
        new = set(rows["id"]) - set(kept)
        kept.update({row["id"]: row for row in rows.iter_rows(named=True)})
        return len(new)

    def append(self, name, rows):
        assert rows["id"].is_unique().all()
        kept = self.rows.setdefault(name, {})
        new = [row for row in rows.iter_rows(named=True) if row["id"] not in kept]
        kept.update({row["id"]: row for row in new})
        return len(new)

    def read(self, name, *, as_of, where=None, dates=None, columns=None, staged=False, undated=False):
        rows = self.stored.get(name, pl.DataFrame(schema=table(name).schema))
        if dates:
            rows = rows.filter(pl.col(table(name).partition).is_between(*dates))
        for column, value in (where or {}).items():
            rows = rows.filter(pl.col(column) == value)
        return rows.select(columns) if columns else rows


@pytest.fixture
def context(tmp_path):
    made = Context(Settings(home=tmp_path / "home", _env_file=None))
    made.__dict__["warehouse"] = MemoryWarehouse()
    made.__dict__["store"] = LocalStore(tmp_path / "store")
    return made


def _tip(day):
    return datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC)


def schedule():
    rows = []
    for number in range(120):
        day = FIRST + timedelta(days=number // 6)
        rows.append(
            {
                "game_id": f"00223{number:05d}",
                "season": "2023-24",
                "season_type": "Regular Season",
                "game_date": day,
                "tipoff_utc": _tip(day),
                "home": TEAMS[2 * number % 30],
                "away": TEAMS[(2 * number + 1) % 30],
                "home_points": 100 + number % 20,
                "away_points": 90 + number % 9,
            }
        )
    return pl.DataFrame(rows).with_columns(neutral_site=False, overtime=False, source=pl.lit("test"))


def player_box():
    rows = []
    for number in range(10):
        home, away = TEAMS[2 * number % 30], TEAMS[(2 * number + 1) % 30]
        for place in range(20):
            fgm, fg3m, ftm = place % 7, place % 3 if place % 7 > 2 else 0, place % 4
            rows.append(
                {
                    "game_id": f"00223{number:05d}",
                    "player_id": 1000 * number + place,
                    "player_name": f"Player {number} {place}",
                    "season": "2023-24",
                    "season_type": "Regular Season",
                    "game_date": FIRST + timedelta(days=number),
                    "team": home if place < 10 else away,
                    "opponent": away if place < 10 else home,
                    "is_home": place < 10,
                    "minutes": float(10 + place),
                    "points": 2 * fgm + fg3m + ftm,
                    "fgm": fgm,
                    "fga": fgm + 3,
                    "fg3m": fg3m,
                    "fg3a": fg3m + 1,
                    "ftm": ftm,
                    "fta": ftm + 1,
                    **dict.fromkeys(("reb", "ast", "stl", "blk", "tov"), place % 5),
                }
            )
    return pl.DataFrame(rows)


def prop_lines():
    rows = []
    for number in range(1500):
        day = FIRST + timedelta(days=number // 75)
        rows.append(
            {
                "game_date": day,
                "season": "2023-24",
                "game_id": f"00223{number // 20:05d}",
                "player_id": number % 75,
                "player_raw": f"Player {number % 75}",
                "market": "points",
                "bookmaker": "book",
                "line_kind": "snapshot",
                "line": 4.5 + number % 30,
                "over_odds": -110.0,
                "under_odds": -112.0,
                "captured_at": _tip(day) - timedelta(hours=3),
                "tipoff_utc": _tip(day),
                "source": "test",
            }
        )
    return pl.DataFrame(rows)


def game_lines():
    rows = []
    for number in range(100):
        market = ("moneyline", "spread", "total")[number % 3]
        rows.append(
            {
                "game_id": f"00223{number:05d}",
                "game_date": FIRST,
                "home": TEAMS[number % 30],
                "away": TEAMS[(number + 1) % 30],
                "market": market,
                "bookmaker": "book",
                "line": {"moneyline": None, "spread": -4.5, "total": 224.5}[market],
                "home_odds": -150.0 if market != "total" else None,
                "away_odds": 130.0 if market != "total" else None,
                "over_odds": -110.0 if market == "total" else None,
                "under_odds": -110.0 if market == "total" else None,
                "pre_tip": None if number % 2 else True,
                "captured_at": None if number % 2 else _tip(FIRST) - timedelta(hours=5),
                "ordinal": 0,
                "source": "test",
            }
        )
    return pl.DataFrame(rows)


def player_status():
    rows = [
        {
            "kind": "injury_report",
            "game_date": FIRST,
            "team": TEAMS[number % 30],
            "player_id": number,
            "player_raw": f"Player {number}",
            "status": "Out",
            "captured_at": _tip(FIRST) - timedelta(hours=4),
            "source": "test",
        }
        for number in range(60)
    ]
    return pl.DataFrame(rows)


def _features(rows):
    names = table(FEATURES).features
    values = np.random.default_rng(7).normal(10, 3, size=(rows, len(names)))
    return pl.DataFrame(dict(zip(names, values.T, strict=True)))


def training_set():
    number = np.arange(1200)
    identity = pl.DataFrame(
        {
            "game_date": [FIRST + timedelta(days=int(place) // 60) for place in number],
            "game_id": [f"00223{place // 20:05d}" for place in number],
            "season": ["2023-24"] * len(number),
            "player_id": number % 75,
            "feature_version": ["v"] * len(number),
        }
    )
    outcome = pl.DataFrame({"actual_points": number % 23, "line": 4.5 + number % 30})
    return pl.concat([identity, _features(len(number)), outcome], how="horizontal")


def slate_features():
    number = np.arange(80)
    identity = pl.DataFrame(
        {
            "game_date": [FIRST] * len(number),
            "game_id": [f"00223{place // 20:05d}" for place in number],
            "player_id": number,
            "player_name": [f"Player {place}" for place in number],
            "team": [TEAMS[place // 10] for place in number],
            "opponent": [TEAMS[(place // 10) ^ 1] for place in number],
            "feature_version": ["v"] * len(number),
        }
    )
    return pl.concat([identity, _features(len(number)), pl.DataFrame({"line": 4.5 + number % 30})], how="horizontal")


def predictions():
    rows = []
    for number in range(100):
        value, line = 8 + number % 20 + number / 100, 10.5 + number % 17
        rows.append(
            {
                "slate_date": FIRST,
                "run_key": "k",
                "game_id": f"00223{number // 20:05d}",
                "player_id": number,
                "player_name": f"Player {number}",
                "predicted_points": value,
                "predicted_points_with_line": value,
                "q10": value - 5,
                "q50": value - 0.5,
                "q90": value + 7,
                "line": line,
                "p_over": 0.5,
                "p_over_market": 0.52,
                "edge": value - line,
                "side": "over" if value > line else "under",
                "agreement": 2,
                "voices": 3,
                "quality_tier": "gold",
                "blocked": False,
                "reasons": None,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"reasons": pl.String})


GOOD = {
    builder.__name__: builder
    for builder in (schedule, player_box, prop_lines, game_lines, player_status, training_set, slate_features, predictions)
}
PARAMETERS = {
    "training_set": {"min_rows": 1000},
    "slate_features": {
        "expected": dict.fromkeys(table(FEATURES).features, "Float64"),
        "known": list(table(FEATURES).features),
    },
}


@pytest.fixture
def good():
    """Return a builder of good frames, by suite."""
    return lambda suite: GOOD[suite]()


@pytest.fixture
def parameters():
    """Return the parameters under which the good frames are good, by suite."""
    return lambda suite: PARAMETERS.get(suite, {})
