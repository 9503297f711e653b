"""Measure the monitor of drift on real seasons: how often it is wrong, how soon it finds what is planted. Prints the tables of docs/drift.md.

    nba-ml ingest … && nba-ml features … && nba-ml backtest --from 2021-10-19 --to 2025-06-22 --predictions predictions.parquet
    python scripts/drift_table.py predictions.parquet

Each slate is looked at as the monitor does, with thresholds as in gates.toml. What is usual of the results is taken from the twelve weeks before a
version that is made every Monday, as its backtest is.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import polars as pl

from nba_ml.context import Context
from nba_ml.features import FEATURE_VERSION, feature_names
from nba_ml.gates import load_gates
from nba_ml.monitoring import drift, error_drift, feature_drift, reference, schema_drift
from nba_ml.progress import track
from nba_ml.warehouse.port import LATEST

BACKTEST_DAYS, LEAST_BACKTEST_ROWS = 84, 1500
PLANTED_IN = {"2022-23": (40, 90, 140), "2023-24": (40, 90, 140)}
LONGEST_WAIT = 40
Plant = Callable[[pl.DataFrame, date], pl.DataFrame]

GATES = {gate["metric"]: gate for gate in load_gates()["monitor"]}


@dataclass(frozen=True)
class Data:
    """Feature rows of players who got on court, game dates, and the ensemble's rows of a backtest beside the simple rule."""

    rows: pl.DataFrame
    dates: pl.DataFrame
    results: pl.DataFrame


def read(predictions: Path) -> Data:
    """Read what is measured on."""
    context = Context()
    schedule = context.warehouse.read("nba_raw.schedule", as_of=LATEST, columns=["season", "season_type", "game_date"])
    span = (schedule["game_date"].min(), schedule["game_date"].max())
    rows = drift.feature_rows(context, [span], FEATURE_VERSION)  # type: ignore[list-item]
    dates = reference.with_days(schedule)
    rows = rows.join(dates, on=["season", "game_date"]).sort("game_date", "game_id", "player_id")
    return Data(rows, dates, error_drift.regulars(drift.beside_simple(pl.read_parquet(predictions))))


def of_features(data: Data, slate: date, plant: Plant | None = None, start: date | None = None) -> set[str]:
    """Return the metrics of features that a slate breaches."""
    names = [name for name in feature_names() if name in data.rows.columns]
    spans = reference.spans(data.dates.filter(pl.col("game_date") <= slate), slate)
    rows = data.rows.filter(pl.any_horizontal([pl.col("game_date").is_between(*span) for span in spans]))
    if plant is not None and start is not None:
        rows = plant(rows, start)
    compared = feature_drift.compare(rows, slate, names).with_columns(kind=pl.lit("feature"))
    found = [*schema_drift.check(rows, slate, names).to_dicts(), *compared.to_dicts()]
    return {row["kind"] for row in found if breaches(row["kind"], row["value"], row["n"])}


def of_results(results: pl.DataFrame, slate: date, usual: Mapping[str, error_drift.Usual]) -> set[str]:
    """Return the metrics of results that a slate breaches."""
    span = (slate - timedelta(days=90), slate)
    season = results.filter(pl.col("slate_date") == slate)["season"][0]
    rows = results.filter(pl.col("slate_date").is_between(*span) & (pl.col("season") == season))
    found = {stream: error_drift.judge(rows, usual[stream], stream) for stream in error_drift.STREAMS}
    return {stream for stream, row in found.items() if breaches(stream, row["value"], row["n"])}


def breaches(metric: str, value: float | None, n: int) -> bool:
    """Tell whether something follows from a figure."""
    return value is not None and n >= GATES[metric]["least_n"] and abs(value) > GATES[metric]["threshold"]


def usual_of(results: pl.DataFrame, slate: date) -> dict[str, error_drift.Usual] | None:
    """Return what is usual by the last version that Mondays made before a slate; None where there was none yet."""
    monday = slate - timedelta(days=slate.weekday())
    for weeks in range(40):
        made = monday - timedelta(weeks=weeks)
        rows = results.filter(pl.col("slate_date").is_between(made - timedelta(days=BACKTEST_DAYS), made - timedelta(days=1)))
        if rows.height >= LEAST_BACKTEST_ROWS:
            return error_drift.usual(rows)
    return None


def false_alarms(data: Data) -> Iterator[str]:
    """Yield the lines of the table: alerts that would have opened, by season and metric."""
    slates = data.rows["game_date"].unique().sort().to_list()
    opened: dict[str, Counter[str]] = defaultdict(Counter)
    looked: Counter[str] = Counter()
    before: set[str] = set()
    graded = set(data.results["slate_date"])
    for slate in track(slates, "slates"):
        season = data.rows.filter(pl.col("game_date") == slate)["season"][0]
        found = of_features(data, slate)
        usual = usual_of(data.results, slate) if slate in graded else None
        if usual is not None:
            found |= of_results(data.results, slate, usual)
        opened[season].update(found - before)
        looked[season] += 1
        before = found
    metrics = [metric for metric in GATES if metric in {*error_drift.STREAMS, "feature", "nulls", "constant", "frozen"}]
    yield from (f"| season | slates | {' | '.join(metrics)} | all |", f"|---|---|{'---|' * len(metrics)}---|")
    for season, counts in sorted(opened.items()):
        yield f"| {season} | {looked[season]} | {' | '.join(str(counts[metric]) for metric in metrics)} | {counts.total()} |"


def feature(name: str, changed: pl.Expr) -> Plant:
    """Return what changes a feature from a date on."""
    return lambda rows, start: rows.with_columns(pl.when(pl.col("game_date") >= start).then(changed).otherwise(pl.col(name)).alias(name))


def standing_still(name: str) -> Plant:
    """Return what keeps a feature at each player's last value from before a date."""

    def plant(rows: pl.DataFrame, start: date) -> pl.DataFrame:
        late = pl.col("game_date") >= start
        kept = pl.when(~late).then(pl.col(name)).forward_fill().over("player_id")
        return rows.with_columns(pl.when(late).then(kept).otherwise(pl.col(name)).alias(name))

    return plant


def no_minutes(rows: pl.DataFrame, start: date) -> pl.DataFrame:
    """Set all features of minutes to 0 from a date on: a feed that came to write them as text."""
    names = [name for name in rows.columns if name.startswith("minutes_")]
    return rows.with_columns(pl.when(pl.col("game_date") >= start).then(0.0).otherwise(pl.col(name)).alias(name) for name in names)


def result(**changed: pl.Expr) -> Plant:
    """Return what changes results from a date on."""
    return lambda rows, start: rows.with_columns(
        pl.when(pl.col("slate_date") >= start).then(expression).otherwise(pl.col(name)).alias(name) for name, expression in changed.items()
    )


_NUMBER, _SCORED, _P = pl.col("predicted_points"), pl.col("actual_points").cast(pl.Float64), pl.col("p_over")
_LOGIT = (_P / (1 - _P)).log()
_FOLLOWED = 1 - pl.lit(0.5).pow((pl.col("slate_date").rank("dense") - 1) / 20)

OF_FEATURES: Mapping[str, Plant] = {
    "a feature 1.3 times as large (points_ewm_8)": feature("points_ewm_8", pl.col("points_ewm_8") * 1.3),
    "a feature shifted by 5 minutes (minutes_ewm_8)": feature("minutes_ewm_8", pl.col("minutes_ewm_8") + 5),
    "a team's feature 1.1 times as large (team_pace)": feature("team_pace", pl.col("team_pace") * 1.1),
    "a feature in percent, no share (three_share)": feature("three_share", pl.col("three_share") * 100),
    "a feature that stands still (usage_rate)": standing_still("usage_rate"),
    "nulls in half of the rows (usage_rate)": feature("usage_rate", pl.when(pl.col("player_id") % 2 == 0).then(pl.col("usage_rate"))),
    "a default for everybody (fga_rate = 0)": feature("fga_rate", pl.lit(0.0)),
    "minutes as text, read as 0": no_minutes,
}
OF_RESULTS: Mapping[str, Plant] = {
    "the model's errors 5 % larger": result(predicted_points=_SCORED + 1.05 * (_NUMBER - _SCORED)),
    "the model's errors 10 % larger": result(predicted_points=_SCORED + 1.10 * (_NUMBER - _SCORED)),
    "everybody scores 8 % more": result(actual_points=_SCORED * 1.08),
    "everybody scores 15 % more": result(actual_points=_SCORED * 1.15),
    "a faster pace: 12 % more points, and the numbers follow in weeks": result(
        actual_points=_SCORED * 1.12, predicted_points=_NUMBER * (1 + 0.12 * _FOLLOWED), simple=pl.col("simple") * (1 + 0.12 * _FOLLOWED)
    ),
    "probabilities too high by 0.06": result(p_over=(_P + 0.06).clip(0.01, 0.99)),
    "probabilities too sure: logits 2.5 times as large": result(p_over=1 / (1 + (-2.5 * _LOGIT).exp())),
}


def planted(data: Data) -> Iterator[str]:
    """Yield the lines of the table: after how many slates each planted drift is found, and by what."""
    yield from ("| planted | found | after slates: median | longest | first found by |", "|---|---|---|---|---|")
    for kind, plants in (("features", OF_FEATURES), ("results", OF_RESULTS)):
        for name, plant in track(list(plants.items()), f"planted in {kind}"):
            waits, by = [], Counter[str]()
            starts = [(season, number) for season, numbers in PLANTED_IN.items() for number in numbers]
            for season, number in starts:
                found = _find(data, kind, plant, season, number)
                if found is not None:
                    waits.append(found[0])
                    by.update(found[1])
            figures = f"{median(waits):g} | {max(waits)}" if waits else "– | –"
            yield f"| {name} | {len(waits)} of {len(starts)} | {figures} | {', '.join(metric for metric, _ in by.most_common(3))} |"


def _find(data: Data, kind: str, plant: Plant, season: str, number: int) -> tuple[int, set[str]] | None:
    slates = data.results.filter(pl.col("season") == season)["slate_date"].unique().sort().to_list()
    start = slates[number]
    usual = usual_of(data.results, start)
    own = data.results.filter(pl.col("season") == season)
    changed = (
        pl.concat(
            [own.filter(pl.col("slate_date") < start), plant(own.filter(pl.col("slate_date") >= start), start)], how="vertical_relaxed"
        )
        if kind == "results"
        else own
    )
    for wait, slate in enumerate(slates[number : number + LONGEST_WAIT], 1):
        honest = of_features(data, slate) if kind == "features" and wait == 1 else set()
        found = of_features(data, slate, plant, start) if kind == "features" else of_results(changed, slate, usual or {})
        if found - honest:
            return wait, found - honest
    return None


def main() -> None:
    """Print both tables."""
    data = read(Path(sys.argv[1]))
    for lines in (planted(data), false_alarms(data)):
        for line in lines:
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
