"""Predictions against results: every system and version of every run of a slate, blocked picks too, and never a change to a prediction.

Each number is held against two lines: the one that the prediction saw, and the closing one. A correction of a box score adds a revision. What
could be neither right nor wrong is void, with its reason.
"""

import logging
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import polars as pl

from nba_ml import calendar, lines, voids
from nba_ml.context import Context
from nba_ml.errors import GateRefused
from nba_ml.games import complete_sides
from nba_ml.gates import least_share_of_points, load_gates
from nba_ml.slate.consensus import NUMBER, side_of
from nba_ml.slate.publishing import PICKS, SYSTEMS
from nba_ml.warehouse.port import LATEST

log = logging.getLogger(__name__)

TABLE = "nba_predictions.prediction_accuracy"

_COMPARED = ("actual_points", "actual_minutes", "closing_line", "outcome", "outcome_at_close", "void_reason")
_KEY = ("game_id", "player_id")


def grade(context: Context, slate: date) -> dict[str, Any]:
    """Grade a slate.

    Games whose results are in and complete are graded, and so are those that were not played on the date; the others wait, and grading again
    picks them up. Grading again with nothing changed writes nothing; a changed result, or closing line, adds a revision.

    Returns
    -------
    dict
        slate_date, runs, graded (current grades of all runs), new (grades written now), void, void_reasons (reason → rows), push, waiting
        (names of games), and systems: for the run in force, each system's n and mae over rows with a number and a result, and n_line,
        mae_on_lines, line_mae, wins, losses and hit_rate (pushes apart) over those of them with a line, each row by the version that it is
        published from; and versions: the same figures of each version's ensemble, shadows included, over all rows.

    Raises
    ------
    GateRefused
        If the slate was predicted, and not one of its games is complete or void.
    """
    now = calendar.now()
    picks = context.warehouse.read(PICKS, as_of=LATEST, dates=(slate, slate))
    numbers = context.warehouse.read(SYSTEMS, as_of=LATEST, dates=(slate, slate))
    games = context.warehouse.read("nba_raw.schedule", as_of=now, dates=(slate, slate))
    box = context.warehouse.read("nba_raw.player_box", as_of=now, dates=(slate, slate))
    least = least_share_of_points(context.settings.source)
    off = _off(context, numbers, box, slate)
    done = pl.concat([_complete(games, box, least).join(off, on="game_id", how="anti"), off.drop("void_reason")])
    waiting = _names(games.join(done, on="game_id", how="anti"))
    if numbers.height and not done.height:
        raise GateRefused(
            f"no game of {slate} is complete, nothing is graded; waiting for {', '.join(waiting) or 'its schedule'}. "
            f"Run: nba-ml ingest --from {slate} --to {slate}",
            {"slate_date": slate.isoformat(), "graded": 0, "waiting": waiting},
        )
    quotes = context.warehouse.read("nba_raw.prop_lines", as_of=now, dates=(slate, slate), undated=True)
    status = context.warehouse.read("nba_raw.player_status", as_of=now, dates=(slate, slate))
    marked = voids.mark(picks, off.drop("known_at"), box, voids.ruled_out(status, games), whole=least == 1)
    fresh = grades(numbers, marked, box, lines.closing(quotes, games)).join(done, on="game_id")
    earlier = latest(context.warehouse.read(TABLE, as_of=LATEST, dates=(slate, slate)))
    changed = revise(fresh, earlier)
    late = pl.when(pl.col("revision") > 0).then(pl.lit(now)).otherwise(pl.col("known_at"))
    written = context.warehouse.append(TABLE, changed.with_columns(known_at=late)) if changed.height else 0
    log.info("%s: %d grades, %d of them new", slate, fresh.height, written)
    run = fresh.filter(pl.col("run_key") == _run_in_force(picks)) if picks.height else fresh.clear()
    own = run.join(picks, on=["run_key", *_KEY, "model_version"], how="semi")
    return {
        "slate_date": slate.isoformat(),
        "runs": numbers["run_key"].n_unique(),
        "graded": fresh.height,
        "new": written,
        "void": fresh.filter(pl.col("outcome") == "void").height,
        "void_reasons": dict(sorted(fresh.filter(pl.col("outcome") == "void")["void_reason"].value_counts().iter_rows())),
        "push": fresh.filter(pl.col("outcome") == "push").height,
        "waiting": waiting,
        "systems": summarise(own),
        "versions": summarise(run.filter(pl.col("system_id") == NUMBER), by="model_version"),
    }


def due(context: Context, first: date, last: date, changed: Collection[str]) -> list[str]:
    """Return the slates of a span that there is something to grade of: predicted, due, and not all graded or with results that `changed`.

    Games whose results are late give nothing to grade: they are told of by whoever misses them (`nba_ml.monitoring.expected`).
    """
    span = (first, last)
    numbers = context.warehouse.read(SYSTEMS, as_of=LATEST, dates=span, columns=["slate_date", "game_id", "id"])
    graded = context.warehouse.read(TABLE, as_of=LATEST, dates=span, columns=["prediction_id"])
    numbers = numbers.join(_awaited(context, span), on=["slate_date", "game_id"], how="anti")
    open_ones = numbers.join(graded, left_on="id", right_on="prediction_id", how="anti")
    of_changed = numbers.filter(pl.col("slate_date").cast(pl.String).is_in(list(changed)))
    slates, now = pl.concat([open_ones, of_changed])["slate_date"].unique().sort(), calendar.now()
    return [day.isoformat() for day in slates if calendar.results_known_at(day) <= now]


def _awaited(context: Context, span: tuple[date, date]) -> pl.DataFrame:
    """Return the scheduled games whose box score is still to come: slate_date, game_id.

    One without a score is given up at some day, one that was played never is.
    """
    days, now = timedelta(days=load_gates()["grading"]["postponed_after_days"]), calendar.now()
    columns = ["game_date", "game_id", "home_points"]
    games = context.warehouse.read("nba_raw.schedule", as_of=LATEST, dates=span, columns=columns)
    box = context.warehouse.read("nba_raw.player_box", as_of=LATEST, dates=span, columns=["game_id"])
    waited_for = [day for day in games["game_date"].unique() if now < calendar.results_known_at(day) + days]
    to_come = pl.col("game_date").is_in(waited_for) | pl.col("home_points").is_not_null()
    awaited = games.filter(to_come).join(box, on="game_id", how="anti")
    return awaited.select("game_id", slate_date="game_date")


def grades(numbers: pl.DataFrame, picks: pl.DataFrame, box: pl.DataFrame, closing: pl.DataFrame) -> pl.DataFrame:
    """Compare predictions with results.

    Parameters
    ----------
    numbers : DataFrame
        Rows of nba_predictions.system_predictions.
    picks : DataFrame
        The same runs' rows of nba_predictions.player_prop_predictions, which say what line each prediction saw, with void_reason
        (`nba_ml.voids.mark`): null where the row counts.
    box : DataFrame
        Rows of nba_raw.player_box.
    closing : DataFrame
        As `nba_ml.lines.closing` returns it.

    Returns
    -------
    DataFrame
        Rows of nba_predictions.prediction_accuracy, revision, known_at and graded_at apart.
    """
    seen = picks.select("run_key", *_KEY, "line", "line_kind", "blocked", "void_reason")
    result = box.select(*_KEY, actual_points="points", actual_minutes="minutes")
    rows = (
        numbers.rename({"id": "prediction_id"})
        .join(seen, on=["run_key", *_KEY], how="left")
        .join(result, on=_KEY, how="left")
        .join(closing.select("player_id", "closing_line"), on="player_id", how="left")
    )
    counts = pl.col("void_reason").is_null()
    rows = rows.with_columns(pl.when(counts).then(pl.col("actual_points", "actual_minutes")))
    number, line, close = pl.col("predicted_points"), pl.col("line"), pl.col("closing_line")
    rows = rows.with_columns(side=side_of(number, line), error=number - pl.col("actual_points"))
    moved = pl.when(pl.col("side") == "over").then(close - line).when(pl.col("side") == "under").then(line - close)
    rows = rows.with_columns(outcome=outcome_of(number, line))
    return rows.select(
        *("prediction_id", "slate_date", "run_key", "mode", *_KEY, "system_id", "model_version", "predicted_points"),
        *("line", "line_kind", "closing_line", "side", "actual_points", "actual_minutes", "error"),
        absolute_error=pl.col("error").abs(),
        outcome="outcome",
        outcome_at_close=outcome_of(number, close),
        closing_line_value=moved,
        void_reason=pl.when(pl.col("outcome") == "void").then("void_reason"),
        blocked="blocked",
    )


def outcome_of(number: pl.Expr, line: pl.Expr) -> pl.Expr:
    """Return win, loss, push, void, no_line or abstained for a number against a line, given ``actual_points``.

    A system without a number abstained; so did one whose number is the line itself. Then a player who did not play makes it void, and a
    missing line no_line.
    """
    actual = pl.col("actual_points")
    side = side_of(number, line)
    return (
        pl.when(number.is_null() | (number == line).fill_null(value=False))
        .then(pl.lit("abstained"))
        .when(actual.is_null())
        .then(pl.lit("void"))
        .when(line.is_null())
        .then(pl.lit("no_line"))
        .when(actual == line)
        .then(pl.lit("push"))
        .when(side_of(actual, line) == side)
        .then(pl.lit("win"))
        .otherwise(pl.lit("loss"))
    )


def latest(stored: pl.DataFrame) -> pl.DataFrame:
    """Return the last revision of each grade."""
    return stored.sort("prediction_id", "revision").unique("prediction_id", keep="last", maintain_order=True)


def revise(fresh: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Return those grades that are new or changed, with their revision: 0, or one above the last."""
    kept = earlier.select("prediction_id", last="revision", **{f"was_{name}": name for name in _COMPARED})
    joined = fresh.join(kept, on="prediction_id", how="left")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"was_{name}")) for name in _COMPARED)
    changed = joined.filter(pl.col("last").is_null() | differs)
    return changed.with_columns(revision=pl.col("last").fill_null(-1) + 1).drop("last", *(f"was_{name}" for name in _COMPARED))


def summarise(graded: pl.DataFrame, by: str = "system_id") -> list[dict[str, Any]]:
    """Return the figures of each system, or whatever `by` tells apart, over grades of one run; every figure on rows that its own n counts."""
    played = graded.filter(pl.col("predicted_points").is_not_null() & pl.col("actual_points").is_not_null())
    lined = pl.col("line").is_not_null()
    won, lost = (pl.col("outcome") == outcome for outcome in ("win", "loss"))
    table = played.group_by(by).agg(
        n=pl.len(),
        mae=pl.col("absolute_error").mean(),
        n_line=lined.sum(),
        mae_on_lines=pl.col("absolute_error").filter(lined).mean(),
        line_mae=(pl.col("line") - pl.col("actual_points")).abs().mean(),
        wins=won.sum(),
        losses=lost.sum(),
    )
    decided = pl.col("wins") + pl.col("losses")
    return table.with_columns(hit_rate=pl.when(decided > 0).then(pl.col("wins") / decided)).sort("mae", by).to_dicts()


def _complete(games: pl.DataFrame, box: pl.DataFrame, least_share: float) -> pl.DataFrame:
    sides = complete_sides(games, box, load_gates()["coverage"]["players_per_team"], least_share)
    whole = sides.group_by("game_id").agg(pl.col("complete").all()).filter("complete")
    return whole.join(games, on="game_id").select("game_id", known_at="result_known_at")


def _off(context: Context, numbers: pl.DataFrame, box: pl.DataFrame, slate: date) -> pl.DataFrame:
    """Return the predicted games that were not played on the slate's date: game_id, void_reason, known_at."""
    days = timedelta(days=load_gates()["grading"]["postponed_after_days"])
    ids = numbers["game_id"].unique()
    now, known = calendar.now(), calendar.results_known_at(slate)
    schedule = context.warehouse.read("nba_raw.schedule", as_of=now, where={"game_id": ids.to_list()}) if ids.len() else None
    if schedule is None or now < known:
        return pl.DataFrame(schema={"game_id": pl.String, "void_reason": pl.String, "known_at": pl.Datetime("us", "UTC")})
    off = voids.games_off(ids, schedule, box, slate, overdue=now >= known + days)
    return off.with_columns(known_at=pl.lit(known).cast(pl.Datetime("us", "UTC")))


def _names(games: pl.DataFrame) -> list[str]:
    return [f"{game['away']} @ {game['home']} ({game['game_id']})" for game in games.sort("game_id").to_dicts()]


def _run_in_force(picks: pl.DataFrame) -> str:
    """Return the last live run, else the last replay."""
    return picks.sort(pl.col("mode") == "live", "published_at", "run_key")["run_key"][-1]
