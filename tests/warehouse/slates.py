"""Ten made-up slates, small enough to be worked through in plain Python: what views and questions say is compared with that."""

import random
from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl

from nba_ml import grading
from nba_ml.warehouse.port import Warehouse
from nba_ml.warehouse.schema import tables

FIRST = date(2024, 1, 1)
FUTURE = date(2100, 1, 1)
PLAYERS = range(1, 13)
SYSTEMS = ("ensemble", "xgboost")
TRAINED_UNTIL = {"v1": date(2023, 12, 31), "v2": date(2024, 1, 7), "v3": date(2024, 1, 7)}
PICKS, NUMBERS, GRADES = (f"nba_predictions.{name}" for name in ("player_prop_predictions", "system_predictions", "prediction_accuracy"))


def day_of(number: int) -> date:
    """Return the date of a slate: 1 is the first."""
    return FIRST + timedelta(days=number - 1)


def moment(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


@cache
def runs() -> list[dict]:
    """Return the runs.

    Slates 1 to 6 are live: run a covers both games, run b later only the second one; a replay comes days after the first slate. Slate 7 is
    replayed by a version that was trained on it, slate 8 by one that was not; slate 9 is live and waits for its results.
    """
    made = []
    for slate in (*range(1, 7), 9):
        version, number = ("v1", 1) if slate < 9 else ("v2", 3)
        live = {"slate": slate, "mode": "live", "model_version": version, "release_number": number}
        made.append(live | {"run_key": f"{slate}a", "published_at": moment(day_of(slate), 15), "games": (1, 2)})
        made.append(live | {"run_key": f"{slate}b", "published_at": moment(day_of(slate), 18), "games": (2,)})
    replay = {"mode": "replay", "model_version": "v2", "release_number": 2, "games": (1, 2)}
    made += [replay | {"slate": slate, "run_key": f"{slate}z", "published_at": moment(day_of(10), 12 + slate)} for slate in (1, 7, 8)]
    return made


@cache
def calls() -> list[dict]:
    """Return what every run says of every player, by each system, with the result and whether it is the pick in force."""
    rng = random.Random(7)  # noqa: S311  made-up numbers, no secrets
    results = {(slate, player): rng.choice([None, None, None, *range(8, 30)]) for slate in range(1, 9) for player in PLAYERS}
    closing = {(slate, player): rng.choice([None, 14.5, 16.0, 18.5]) for slate in range(1, 10) for player in PLAYERS}
    made = []
    for run in runs():
        for player in (player for player in PLAYERS if game_of(player) in run["games"]):
            line = rng.choice([None, 14.5, 15.0, 16.0, 18.5])
            reasons, blocked = rng.choice([(None, False), (None, False), ("no_line", False), ("too_few_games", True)])
            pick = {
                "slate_date": day_of(run["slate"]),
                "game_id": f"g{run['slate']}{game_of(player)}",
                "player_id": player,
                "player_name": f"Player {player}",
                "line": line,
                "line_kind": None if line is None else "snapshot",
                "over_odds": None if line is None else -110.0,
                "under_odds": None if line is None else -105.0,
                "p_over_market": None if line is None else 0.51,
                "quality_tier": rng.choice(["gold", "silver", "bronze"]),
                "blocked": blocked,
                "reasons": reasons,
                "actual": results.get((run["slate"], player)),
                "closing_line": closing[run["slate"], player],
            }
            for system in SYSTEMS:
                number = rng.choice([None, 15.0, 16.0, *(round(rng.uniform(8, 28), 2) for _ in range(6))])
                made.append(
                    run
                    | pick
                    | {
                        "system_id": system,
                        "predicted_points": number,
                        "p_over": None if line is None or number is None else round(rng.random(), 3),
                        "in_force": run["run_key"].endswith({1: "a", 2: "b"}[game_of(player)] if run["mode"] == "live" else "z")
                        and not (run["slate"] == 1 and run["mode"] == "replay"),
                        "in_sample": run["mode"] == "replay" and day_of(run["slate"]) <= TRAINED_UNTIL[run["model_version"]],
                    }
                )
    return made


def game_of(player: int) -> int:
    """Return which of a slate's two games a player plays in."""
    return 1 if player <= len(PLAYERS) // 2 else 2


def filled(table: str, rows: list[dict]) -> pl.DataFrame:
    """Make rows of a table; a required column that a row does not have gets any value of its type."""
    filler = {"string": "x", "int64": 0, "float64": 0.0, "bool": False, "date": FIRST, "timestamp": moment(FIRST, 17)}
    columns = [column for column in tables()[table].columns if column.name != "id"]
    complete = [{c.name: row.get(c.name, filler[c.type] if c.required else None) for c in columns} for row in rows]
    return pl.DataFrame(complete, schema={column.name: column.dtype for column in columns})


def side(call: dict) -> str | None:
    """Return over or under, worked out by hand."""
    if None in (call["predicted_points"], call["line"]) or call["predicted_points"] == call["line"]:
        return None
    return "over" if call["predicted_points"] > call["line"] else "under"


def fill(warehouse: Warehouse) -> None:
    """Write the slates, their schedule, results, grades, versions and releases, and the log of validations."""
    picks = [
        call
        | {"side": side(call), "edge": None if side(call) is None else call["predicted_points"] - call["line"]}
        | {"tipoff_utc": moment(call["slate_date"], 17 if call["game_id"].endswith("1") else 23)}
        for call in calls()
        if call["system_id"] == "ensemble"
    ]
    numbers = [call | {"abstain_reason": "too little history" if call["predicted_points"] is None else None} for call in calls()]
    warehouse.upsert(PICKS, filled(PICKS, picks))
    warehouse.upsert(NUMBERS, filled(NUMBERS, numbers))
    graded = sorted({(call["slate"], call["run_key"]) for call in calls() if call["slate"] < 9})
    warehouse.append(GRADES, pl.concat(_grades(slate, run) for slate, run in graded))
    schedule = [
        {"game_id": f"g{slate}{game}", "game_date": day_of(slate), "result_known_at": moment(day_of(slate + 1), 11)}
        | {"home_points": None if slate == 9 else 100}
        for slate in range(1, 10)
        for game in (1, 2)
    ]
    schedule += [{"game_id": "late", "game_date": FUTURE, "result_known_at": moment(FUTURE, 11), "home_points": 99}]
    warehouse.upsert("nba_raw.schedule", filled("nba_raw.schedule", schedule))
    versions = [
        {"name": "points", "version": version, "trained_until": until, "rows": 1000 + number, "created_at": moment(until, 12)}
        for number, (version, until) in enumerate(TRAINED_UNTIL.items(), 1)
    ]
    warehouse.upsert("nba_ops.model_registry", filled("nba_ops.model_registry", versions))
    releases = [
        {"name": "points", "environment": "dev", "number": number, "action": action, "version": version, "actor": f"person {number}"}
        | {
            "created_at": moment(TRAINED_UNTIL[version], 12 + number),
            "share": 0.1 * number,
            "previous_version": "v1" if number > 1 else None,
        }
        for number, action, version in ((1, "release", "v1"), (2, "release", "v2"), (3, "shadow", "v3"), (4, "advance", "v2"))
    ]
    warehouse.upsert("nba_ops.release_events", filled("nba_ops.release_events", releases))
    _fill_logs(warehouse)
    backtest = [
        {"model_version": "v1", "slate_date": day_of(slate), "game_id": "b", "player_id": slate, "system_id": "ensemble"}
        | {"predicted_points": number, "line": line, "actual_points": actual, "q10": 10.0, "q90": 20.0}
        for slate, (number, line, actual) in enumerate(BACKTEST, 1)
    ]
    warehouse.upsert("nba_predictions.backtest_predictions", filled("nba_predictions.backtest_predictions", backtest))


# number, line, result; errors −2, 3, 4, −5, 1
BACKTEST = [(18.0, 17.5, 20.0), (15.0, 13.5, 12.0), (16.0, None, 12.0), (15.0, 20.0, 20.0), (11.0, 10.0, 10.0), (None, 9.5, 8.0)]


def _grades(slate: int, run: str) -> pl.DataFrame:
    """Grade one run by the platform's own rules; the first grade of slate 1 was wrong and is revised."""
    mine = [call for call in calls() if call["run_key"] == run]
    numbers = tables()[NUMBERS].conform(filled(NUMBERS, mine))
    picks = filled(PICKS, [call for call in mine if call["system_id"] == "ensemble"])
    box = [
        call | {"points": call["actual"], "minutes": 20.0}
        for call in mine
        if call["system_id"] == "ensemble" and call["actual"] is not None
    ]
    closing = pl.DataFrame({"player_id": call["player_id"], "closing_line": call["closing_line"]} for call in mine).unique()
    results = filled("nba_raw.player_box", box)
    absent = ~pl.struct("game_id", "player_id").is_in(results.select(pl.struct("game_id", "player_id")).to_series().implode())
    marked = picks.with_columns(void_reason=pl.when(absent).then(pl.lit("did_not_play")))
    good = grading.grades(numbers, marked, results, closing.with_columns(pl.col("closing_line").cast(pl.Float64)))
    known = {"known_at": moment(day_of(slate + 1), 11), "graded_at": moment(day_of(slate + 1), 12)}
    good = good.with_columns(revision=pl.lit(1 if slate == 1 else 0), **{name: pl.lit(value) for name, value in known.items()})
    if slate > 1:
        return good
    wrong = good.with_columns(revision=pl.lit(0), error=pl.lit(99.0), absolute_error=pl.lit(99.0), outcome=pl.lit("loss"))
    return pl.concat([wrong, good])


def _fill_logs(warehouse: Warehouse) -> None:
    rules = [
        ("schedule", "one", "stop", False, "ingest:1", 10),
        ("schedule", "one", "stop", True, "ingest:2", 11),
        ("schedule", "two", "warn", False, "ingest:2", 12),
        ("player_box", "three", "warn", False, "ingest:2", 12),
        ("player_box", "four", "stop", False, "ingest:2", 12),
    ]
    names = ("suite", "rule", "severity", "passed", "run")
    verdicts = [dict(zip(names, rule, strict=False)) | {"rows": 50, "checked_at": moment(FIRST, rule[-1])} for rule in rules]
    warehouse.append("nba_ops.validation_runs", filled("nba_ops.validation_runs", verdicts))
    kept_out = [("prop_lines", "before_tipoff", 1, 9), ("prop_lines", "before_tipoff", 2, 10), ("prop_lines", "known_player", None, 8)]
    rows = [
        {"suite": suite, "rule": rule, "row_id": str(number), "game_date": slate and day_of(slate), "reason": f"why {rule}"}
        | {"quarantined_at": moment(day_of(3), hour)}
        for number, (suite, rule, slate, hour) in enumerate(kept_out)
    ]
    warehouse.append("nba_ops.quarantine", filled("nba_ops.quarantine", rows))
