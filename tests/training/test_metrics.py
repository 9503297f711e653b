import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest

from nba_ml.training import betting, metrics, probability
from nba_ml.training.intervals import clustered_mean, clustered_ratio, wilson

NAIVE = {
    "A": lambda rows: rows,
    "B": lambda rows: rows[(rows.prior_games >= 10) & (rows.season_avg_minutes >= 15)],
    "C": lambda rows: rows[rows.line.notna()],
}


@pytest.fixture(scope="module")
def gappy(backtest):
    """The made-up backtest, with a predictor of the headline silent on some rows."""
    silent = (pl.col("system_id") == "last_10") & (pl.col("player_id") % 7 == 3)
    return backtest.with_columns(predicted_points=pl.when(~silent).then("predicted_points"))


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_headline_against_naive_pandas(gappy, name):
    frame = NAIVE[name](gappy.to_pandas())
    key = list(metrics.KEY)
    wide = frame.pivot(index=[*key, "actual_points"], columns="system_id", values="predicted_points")
    same = wide[list(metrics.HEADLINE)].dropna().reset_index("actual_points")
    found = metrics.headline(metrics.wide(gappy))[name]
    assert found["rows"] == len(frame[frame.system_id == "xgboost"])
    assert found["common_rows"] == len(same) < found["rows"]
    for system in metrics.HEADLINE:
        error = same[system] - same.actual_points
        figures = found["predictors"][system]
        expected = {
            "n": len(error),
            "mae": error.abs().mean(),
            "rmse": (error**2).mean() ** 0.5,
            "mean_error": error.mean(),
            "within_3": (error.abs() <= 3).mean(),
            "within_5": (error.abs() <= 5).mean(),
        }
        assert {field: figures[field] for field in expected} == pytest.approx(expected)
        if system != "ewma_hl8":
            difference = error.abs().mean() - (same.ewma_hl8 - same.actual_points).abs().mean()
            assert figures["against_baseline"]["value"] == pytest.approx(difference)
            assert figures["against_baseline"]["low"] < difference < figures["against_baseline"]["high"]


def test_the_line_is_judged_on_the_same_rows_whoever_else_saw_it(gappy):
    early = pl.col("slate_date") < pl.col("slate_date").max()
    gappy = gappy.with_columns(predicted_points_with_line=pl.when(~early).then("predicted_points_with_line"))
    found = metrics.headline(metrics.wide(gappy))
    assert "line" not in found["A"]["predictors"]
    part = found["C"]
    rows = gappy.filter((pl.col("system_id") == "last_10") & pl.col("line").is_not_null()).drop_nulls("predicted_points")
    error = (rows["line"] - rows["actual_points"]).to_numpy()
    assert part["common_rows"] == rows.height
    assert part["predictors"]["line"]["mae"] == pytest.approx(np.abs(error).mean())
    assert part["predictors"]["line_minus_half"]["mae"] == pytest.approx(np.abs(error - 0.5).mean())
    assert set(part["predictors"]) == {*metrics.HEADLINE, "line", "line_minus_half"}
    assert part["against_half"] == metrics.paired(metrics.wide(gappy).drop_nulls("last_10"), "ensemble", "line_minus_half")


def test_the_hardest_rule_is_the_one_that_leaves_the_smallest_lead_on_its_own_regulars(make_frame):
    rows = metrics.wide(make_frame(noise={"matchup": 1.3}))
    found = metrics.hardest_rule(rows, "ensemble")
    leads = {rule: metrics.paired(metrics.population(rows, "B"), "ensemble", rule)["value"] for rule in metrics.SIMPLE_RULES}
    assert found["rule"] == max(leads, key=leads.get) == "matchup"
    assert found["difference"]["value"] == pytest.approx(found["ours"] - found["theirs"]) == leads["matchup"]
    assert metrics.hardest_rule(rows.drop(metrics.SIMPLE_RULES), "ensemble") is None


def test_population_b_has_its_exact_edges():
    rows = pl.DataFrame({"prior_games": [10, 9, 10, None], "season_avg_minutes": [15.0, 20.0, 14.999, 20.0]})
    assert metrics.population(rows, "B").height == 1


def test_a_row_that_is_there_twice_is_refused(backtest):
    with pytest.raises(ValueError, match="1 rows twice"):
        metrics.wide(pl.concat([backtest, backtest.head(1)]))


def test_the_order_of_rows_means_nothing_and_the_summary_is_json(backtest):
    summary = metrics.summary(backtest)
    text = json.dumps(summary, allow_nan=False)
    assert json.dumps(metrics.summary(backtest.sample(fraction=1, shuffle=True, seed=4)), allow_nan=False)[:200] == text[:200]
    assert summary["rows"] == 4000
    assert summary["systems"]["similarity"]["abstained"] == pytest.approx(12 / 100)
    assert summary["systems"]["xgboost"]["abstained"] == 0


def test_a_summary_without_lines_and_one_without_rows_say_nothing_of_them(backtest):
    priced = ["line", "line_kind", "over_odds", "under_odds", "p_over", "p_over_market", "predicted_points_with_line"]
    bare = backtest.with_columns(pl.lit(None, backtest.schema[name]).alias(name) for name in priced)
    summary = metrics.summary(bare)
    assert summary["populations"]["C"]["common_rows"] == 0
    assert summary["populations"]["C"]["predictors"]["line"]["mae"] is None
    assert (summary["probabilities"], summary["lines"], summary["sides"]["xgboost"]) == ({}, [], [])
    json.dumps(metrics.summary(backtest.clear()), allow_nan=False)


def test_scores_against_scikit_learn():
    from sklearn.metrics import brier_score_loss, log_loss

    rng = np.random.default_rng(3)
    p = rng.random(5000)
    over = (rng.random(5000) < p**1.3).astype(float)
    found = probability.scores(p, over)
    assert found["log_loss"] == pytest.approx(log_loss(over, p))
    assert found["brier"] == pytest.approx(brier_score_loss(over, p))
    bins = pd.cut(pd.Series(p), np.linspace(0, 1, 11), right=False)
    naive = (
        pd.DataFrame({"p": p, "over": over, "bin": bins})
        .groupby("bin", observed=True)
        .agg(p=("p", "mean"), o=("over", "mean"), n=("p", "size"))
    )
    assert found["ece"] == pytest.approx((naive.n * (naive.p - naive.o).abs()).sum() / 5000)


def test_pinball_against_scikit_learn(backtest):
    from sklearn.metrics import mean_pinball_loss

    rows = backtest.filter(pl.col("system_id") == "xgboost")
    found = probability.pinball(backtest)["xgboost"]
    assert found["n"] == rows.height
    for name, level in (("q10", 0.1), ("q50", 0.5), ("q90", 0.9)):
        assert found[name] == pytest.approx(mean_pinball_loss(rows["actual_points"], rows[name], alpha=level))


def test_the_score_of_the_distribution_stands_beside_that_of_the_number(backtest):
    found = probability.crps(backtest)
    assert set(found) == {"ensemble", "xgboost"}
    rows = backtest.filter(pl.col("system_id") == "ensemble")
    assert found["ensemble"]["n"] == rows.height
    assert found["ensemble"]["value"] == pytest.approx(rows["crps"].mean())
    assert found["ensemble"]["low"] < found["ensemble"]["value"] < found["ensemble"]["high"]
    assert found["ensemble"]["mae"] == pytest.approx((rows["predicted_points"] - rows["actual_points"]).abs().mean())
    assert probability.crps(backtest.drop("crps")) == {}


def test_the_difference_to_the_market_is_that_of_the_log_losses_on_priced_rows(backtest):
    from sklearn.metrics import log_loss

    found = probability.against_market(backtest, "ensemble")
    rows = backtest.filter((pl.col("system_id") == "ensemble") & (pl.col("actual_points") != pl.col("line"))).drop_nulls("p_over_market")
    over = (rows["actual_points"] > rows["line"]).to_numpy()
    naive = log_loss(over, rows["p_over"]) - log_loss(over, rows["p_over_market"])
    assert found["difference"]["n"] == rows.height
    assert found["difference"]["value"] == pytest.approx(naive)
    assert found["difference"]["low"] < naive < found["difference"]["high"]


def test_no_interval_of_profit_on_a_handful_of_dates(backtest):
    few = backtest.filter(pl.col("slate_date") < pl.col("slate_date").min() + pl.duration(days=9))
    assert {row["roi"]["low"] for row in betting.summary(few)["ensemble"]} == {None}
    assert betting.summary(backtest)["ensemble"][0]["roi"]["low"] is not None


def test_groups_for_the_plot_have_equal_size_and_lose_nobody():
    rng = np.random.default_rng(4)
    p, over = rng.random(1003), (rng.random(1003) < 0.5).astype(float)
    found = probability.groups(p, over)
    assert {row["n"] for row in found} == {100, 101}
    assert sum(row["n"] * row["observed"] for row in found) == pytest.approx(over.sum())
    assert all(one["high"] <= two["low"] for one, two in pairwise(found))
    assert probability.groups(p[:0], over[:0]) == []


def test_seeing_the_line_is_judged_by_squared_error_on_the_same_rows(gappy):
    rows = metrics.wide(gappy)
    found = metrics.seeing_line(rows)
    assert list(found) == ["line", "line_minus_half", "ensemble_with_line", "xgboost_with_line", "ensemble", "xgboost"]
    same = rows.select("actual_points", *found).drop_nulls(list(found)).to_pandas()
    square = {name: ((same[name] - same.actual_points) ** 2).mean() for name in found}
    row = found["ensemble_with_line"]
    assert row["rmse"] == pytest.approx(square["ensemble_with_line"] ** 0.5)
    assert row["against_half"]["value"] == pytest.approx(square["ensemble_with_line"] - square["line_minus_half"])
    assert row["against_half"]["low"] < row["against_half"]["value"] < row["against_half"]["high"]
    assert metrics.seeing_line(rows.drop("ensemble_with_line", "xgboost_with_line")) == {}


def test_certain_probabilities_stay_finite_and_fall_in_the_last_bin():
    found = probability.scores(np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0]))
    assert np.isfinite(found["log_loss"])
    assert [row["low"] for row in probability.reliability(np.array([1.0, 0.0]), np.array([1.0, 0.0]))] == [0.0, 0.9]


def test_pushes_are_left_out_of_probabilities_and_sides(backtest):
    pushed = backtest.with_columns(line=pl.when(pl.col("line").is_not_null()).then("actual_points"))
    assert probability.decided(pushed, "p_over").is_empty()
    assert betting.bets(pushed, "xgboost").is_empty()


def test_coverage_by_band_against_naive_pandas(backtest):
    found = probability.coverage(backtest)["xgboost"]
    frame = backtest.filter(pl.col("system_id") == "xgboost").to_pandas()
    inside = frame.actual_points.between(frame.q10, frame.q90)
    assert (found["n"], found["coverage"]) == (len(frame), pytest.approx(inside.mean()))
    band = pd.cut(frame.q50, [0, 5, 10, 15, 20, 25, np.inf], right=False)
    for row, (interval, group) in zip(found["bands"], inside.groupby(band, observed=True), strict=True):
        assert row["low"] == interval.left
        assert (row["n"], row["coverage"]) == (len(group), pytest.approx(group.mean()))


def bet(predicted, line, actual, over_odds=-110.0, under_odds=120.0, kind="consensus_close", market=0.5):
    return pl.DataFrame(
        {
            "system_id": ["xgboost"],
            "slate_date": [date(2024, 1, 1)],
            "predicted_points": [predicted],
            "line": [line],
            "actual_points": [actual],
            "over_odds": [over_odds],
            "under_odds": [under_odds],
            "line_kind": [kind],
            "p_over_market": [market],
        },
        schema_overrides={"p_over_market": pl.Float64, "line_kind": pl.String},
    )


@pytest.mark.parametrize(
    ("row", "won", "profit", "dated"),
    [
        (bet(12.0, 10.5, 11.0), True, 100 / 110, True),
        (bet(12.0, 10.5, 10.0), False, -1.0, True),
        (bet(9.0, 10.5, 10.0), True, 1.2, True),
        (bet(9.0, 10.5, 11.0, kind="undated_snapshot"), False, -1.0, False),
        (bet(9.0, 10.5, 10.0, kind=None), True, 1.2, False),
        (bet(9.0, 10.5, 10.0, kind="consensus_close,last_snapshot"), True, 1.2, True),
        (bet(9.0, 10.5, 10.0, market=None), True, None, True),
        (bet(9.0, 10.5, 10.0, under_odds=50.0), True, None, True),
    ],
)
def test_a_bet(row, won, profit, dated):
    found = betting.bets(row, "xgboost").row(0, named=True)
    assert (found["won"], found["dated"], found["edge"]) == (won, dated, 1.5)
    assert found["profit"] == (None if profit is None else pytest.approx(profit))


def test_a_verdict_is_refused_on_too_few_bets():
    assert betting.judge(900, 1399)["verdict"] == "no verdict"
    assert betting.judge(int(0.54 * 3000), 3000)["verdict"] == "no verdict"
    assert betting.judge(int(0.55 * 1500), 1500)["verdict"] == "above break-even"
    assert betting.judge(int(0.49 * 3000), 3000)["verdict"] == "below break-even"
    assert betting.judge(0, 0)["hit_rate"] is None


def test_a_verdict_on_the_best_of_several_takes_more():
    won = 791
    assert betting.judge(won, 1428)["verdict"] == "above break-even"
    assert betting.judge(won, 1428, looks=4)["verdict"] == "no verdict"
    assert betting.judge(won, 1428, looks=4)["low"] == betting.judge(won, 1428)["low"]


def test_profit_has_no_verdict_on_too_few_bets_or_around_nothing(backtest):
    for rows in betting.summary(backtest).values():
        for row in rows:
            roi = row["roi"]
            clear = roi["n"] >= betting.LEAST_BETS and (roi["low"] > 0 or roi["high"] < 0)
            assert roi["verdict"] == ("no verdict" if not clear else "profit" if roi["low"] > 0 else "loss")
    assert betting.verdict({"low": 0.1, "high": 0.2}, "up", "down") == "up"
    assert betting.verdict({"low": -0.2, "high": -0.1}, "up", "down") == "down"
    assert betting.verdict({"low": -0.2, "high": 0.1}, "up", "down") == betting.verdict({"low": None}, "up", "down") == "no verdict"


def quotes(*rows):
    """Quotes of book, line, minutes from tip-off (None = undated) and kind."""
    tip = datetime(2024, 3, 6, 0, 30, tzinfo=UTC)
    made = [
        {
            "game_date": date(2024, 3, 5),
            "game_id": "G1",
            "player_id": 1,
            "bookmaker": book,
            "line_kind": kind,
            "line": line,
            "over_odds": -110.0,
            "under_odds": -110.0,
            "odds_suspect": False,
            "captured_at": None if minutes is None else tip + timedelta(minutes=minutes),
            "tipoff_utc": tip,
            "source": "feed",
        }
        for book, line, minutes, kind in rows
    ]
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(made, schema_overrides={"captured_at": moment, "tipoff_utc": moment})


def test_a_line_moves_only_within_the_books_that_were_seen_twice():
    both = quotes(("a", 20.5, -300, "last_snapshot"), ("a", 22.5, -30, "last_snapshot"), ("b", 30.5, -60, "last_snapshot"))
    assert betting.moves(both).select("early_line", "closing_line").rows() == [(20.5, 22.5)]
    once = quotes(("a", 20.5, -300, "last_snapshot"), ("b", 22.5, -30, "last_snapshot"))
    labelled = quotes(("a", 20.5, None, "first_column_open"), ("a", 22.5, None, "consensus_close"))
    in_play = quotes(("a", 20.5, -300, "last_snapshot"), ("a", 28.5, 20, "last_snapshot"))
    assert [betting.moves(frame).height for frame in (once, labelled, in_play)] == [0, 0, 0]


@pytest.mark.parametrize(("predicted", "gain"), [(25.0, 2.0), (15.0, -2.0)])
def test_closing_line_value_counts_moves_towards_the_side(predicted, gain):
    moved = pl.DataFrame({"game_date": [date(2024, 1, 1)], "player_id": [1], "early_line": [20.5], "closing_line": [22.5]})
    frame = bet(predicted, 22.5, 10.0).with_columns(player_id=pl.lit(1, pl.Int64), game_id=pl.lit("G1"))
    found = betting.closing_value(frame, "xgboost", moved)
    assert (found["value"], found["n"], found["verdict"]) == (gain, 1, "no verdict")
    assert (found["towards"], found["away"]) == ((1.0, 0.0) if gain > 0 else (0.0, 1.0))
    assert betting.closing_value(frame, "xgboost", moved.clear())["n"] == 0


def test_wilson_against_statsmodels_figures():
    assert wilson(10, 20) == pytest.approx((0.299298, 0.700702), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert wilson(0, 0) is None


def days(n):
    return np.array([date(2024, 1, 1) + timedelta(days=int(day)) for day in n])


def test_the_bootstrap_agrees_with_theory_on_independent_rows():
    rng = np.random.default_rng(5)
    values = rng.normal(1.0, 2.0, 8000)
    found = clustered_mean(days(np.arange(8000) % 400), values)
    assert found["value"] == pytest.approx(values.mean())
    half = 1.96 * values.std() / 8000**0.5
    assert (found["high"] - found["low"]) / 2 == pytest.approx(half, rel=0.12)


def test_the_bootstrap_widens_where_the_rows_of_a_date_move_together():
    rng = np.random.default_rng(6)
    shared = np.repeat(rng.normal(0, 1, 200), 40)
    place = days(np.repeat(np.arange(200), 40))
    found = clustered_mean(place, shared)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * shared.std() / 200**0.5, rel=0.15)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(7)
    place = days(np.repeat(np.arange(60), 10))
    held = 0
    for _ in range(200):
        found = clustered_mean(place, np.repeat(rng.normal(0, 1, 60), 10) + rng.normal(0, 1, 600))
        held += found["low"] < 0 < found["high"]
    assert 0.89 <= held / 200 <= 0.99


def test_the_same_rows_give_the_same_interval_and_few_dates_give_none():
    values = np.arange(10.0)
    place = days(np.arange(10))
    assert clustered_mean(place, values) == clustered_mean(place, values)
    assert clustered_mean(days(np.zeros(10)), values)["low"] is None
    assert clustered_mean(days([]), np.array([]))["value"] is None
    assert clustered_ratio(place, values, values * 2)["value"] == pytest.approx(0.5)
