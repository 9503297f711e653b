"""What a backtest shows, in plain sentences: the first thing that a reader of the report sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nba_ml.training import betting, metrics
from nba_ml.training.intervals import LEAST_DATES
from nba_ml.training.wording import count, interval, noun, points, share

COVERAGE_TOLERANCE = 0.05


@dataclass(frozen=True)
class Finding:
    """One sentence or two; `tone` is good, bad or plain."""

    text: str
    tone: str = "plain"


def findings(
    found: Mapping[str, Any],
    months: Sequence[Mapping[str, Any]],
    gates: Sequence[Mapping[str, Any]] = (),
    canaries: Sequence[Mapping[str, Any]] = (),
) -> list[Finding]:
    """Return the findings of a backtest; what can't be said is left out.

    Parameters
    ----------
    found, months, gates, canaries
        Of `metrics.summary`, `report_data.months` (for the published system), `gating.evaluate` and `canaries.check`.
    """
    leader = metrics.leader(found["systems"])
    said = [
        _against_simple(found["populations"]["B"], leader),
        _against_hardest(found["hardest_rule"], leader),
        _against_line(found["populations"]["C"], leader),
        _with_line(found["seeing_line"], leader),
        _months(months, leader),
        _intervals(found["intervals"].get(leader), found["crps"].get(leader), leader),
        _probability(found["probabilities"].get(leader), leader),
        _sides(found["sides"].get(leader, []), leader),
        _leaks(gates, canaries),
    ]
    return [finding for finding in said if finding is not None]


def _against_simple(part: Mapping[str, Any], leader: str) -> Finding | None:
    ours, simple = part["predictors"].get(leader), part["predictors"].get(metrics.BASELINE)
    if not ours or not simple or ours["mae"] is None or ours["against_baseline"]["low"] is None:
        return None
    difference = ours["against_baseline"]
    verdict, tone = _verdict(difference, leader)
    return Finding(
        f"Regulars ({count(part['common_rows'])} player-games). The {noun(leader)} is off by {points(ours['mae'], 2)} points on average; a "
        f"weighted mean of the player's recent games by {points(simple['mae'], 2)}. Difference {interval(difference)}: {verdict}.",
        tone,
    )


def _against_hardest(found: Mapping[str, Any] | None, leader: str) -> Finding | None:
    if not found or found["rule"] == metrics.BASELINE or found["difference"]["low"] is None:
        return None
    verdict, tone = _verdict(found["difference"], leader)
    return Finding(
        f"The rule without training that is hardest to beat there: {noun(found['rule'])}, off by {points(found['theirs'], 2)} points where the "
        f"{noun(leader)} is off by {points(found['ours'], 2)} ({count(found['difference']['n'])}). Difference {interval(found['difference'])}: "
        f"{verdict}.",
        tone,
    )


def _verdict(difference: Mapping[str, Any], leader: str) -> tuple[str, str]:
    if difference["high"] < 0:
        return f"the {noun(leader)} is surely better", "good"
    if difference["low"] > 0:
        return "the simple rule is surely better", "bad"
    return "the two can't be told apart", "plain"


def _against_line(part: Mapping[str, Any], leader: str) -> Finding | None:
    ours = part["predictors"].get(leader)
    if not ours or ours["mae"] is None:
        return None
    line, half = part["predictors"][metrics.LINE], part["predictors"][metrics.LINE_MINUS_HALF]
    difference = part["against_half"]
    enough = difference["low"] is not None and difference["dates"] >= LEAST_DATES
    better = enough and difference["high"] < 0
    verdict = f"Difference to line − 0.5 {interval(difference)}: the two can't be told apart."
    if better:
        verdict = f"By {interval(difference)} that beats line − 0.5: take it for a leak until shown otherwise."
    elif enough and difference["low"] > 0:
        verdict = f"Difference to line − 0.5 {interval(difference)}: the line is the better number."
    return Finding(
        f"Players with a betting line ({count(part['common_rows'])}). The line is off by {points(line['mae'], 2)} points; the line − 0.5, which "
        f"takes no knowledge at all, by {points(half['mae'], 2)}; the {noun(leader)}, not seeing the line, by {points(ours['mae'], 2)}. {verdict}",
        "bad" if better else "plain",
    )


def _with_line(found: Mapping[str, Mapping[str, Any]], leader: str) -> Finding | None:
    seeing = found.get(metrics.with_line(leader))
    if not seeing or seeing["rmse"] is None:
        return None
    line, half = found[metrics.LINE]["rmse"], found[metrics.LINE_MINUS_HALF]["rmse"]
    return Finding(
        f"Allowed to see the line ({count(seeing['n'])}). Judged by RMSE, the {noun(leader)} is at {points(seeing['rmse'])}, the line at "
        f"{points(line)}, the line − 0.5 at {points(half)}. Difference of squared errors to the line {interval(seeing['against_line'], 2)}, to "
        f"line − 0.5 {interval(seeing['against_half'], 2)}."
    )


def _months(months: Sequence[Mapping[str, Any]], leader: str) -> Finding | None:
    judged = [row["B"] for row in months if row["B"]]
    if not judged:
        return None
    lost = sum(row["lost"] for row in judged)
    simple = [row["last_10"] for row in months if row["last_10"]]
    lined = [row["C"] for row in months if row["C"]]
    also = f", {sum(row['lost'] for row in simple)} of {len(simple)} to the mean of the last 10 games" if simple else ""
    linear = [row["ridge"] for row in months if row["ridge"]]
    also += f" and {sum(row['lost'] for row in linear)} of {len(linear)} to ridge" if linear else ""
    market = f"; on players with a line, {sum(row['lost'] for row in lined)} of {len(lined)} to line − 0.5" if lined else ""
    return Finding(
        f"Months. The {noun(leader)} lost {lost} of {len(judged)} to the weighted mean{also}, on regulars{market}.",
        "bad" if lost else "plain",
    )


def _intervals(held: Mapping[str, Any] | None, score: Mapping[str, Any] | None, leader: str) -> Finding | None:
    if not held or not held["n"]:
        return None
    whole = f" CRPS, the score of the whole distribution, {points(score['value'])}." if score else ""
    return Finding(
        f"Intervals. The 80 % interval of the {noun(leader)} held {share(held['coverage'])} of the regulars' results; it is "
        f"{points(held['width'], 1)} points wide on average.{whole}",
        "bad" if abs(held["coverage"] - 0.8) > COVERAGE_TOLERANCE else "plain",
    )


def _probability(found: Mapping[str, Any] | None, leader: str) -> Finding | None:
    if not found or not found["same_rows"]["p_over"]["n"]:
        return None
    own, market = found["same_rows"]["p_over"], found["same_rows"]["p_over_market"]
    return Finding(
        f"Probability of the over, where two real prices exist ({count(own['n'])}). Log-loss of the {noun(leader)} {points(own['log_loss'], 4)}, of "
        f"the recalibrated market {points(market['log_loss'], 4)}, of a coin 0.6931. Calibration error {points(own['ece'], 4)} and "
        f"{points(market['ece'], 4)}."
    )


def _leaks(gates: Sequence[Mapping[str, Any]], canaries: Sequence[Mapping[str, Any]]) -> Finding | None:
    judged = [row for row in gates if row["id"].startswith("leak.")] + list(canaries)
    if not judged:
        return None
    failed = [row["id"] for row in judged if not row["passed"]]
    silent = sum(bool(row["passed"] and row.get("note")) for row in judged)
    rest = f" {silent} more had too few rows to judge." if silent else ""
    asked = len(judged) - silent
    if failed:
        return Finding(
            f"Leaks. Of {asked} alarms and canaries, {len(failed)} failed: {', '.join(failed)}. Trust no figure here.{rest}", "bad"
        )
    return Finding(f"Leaks. None of {asked} alarms and canaries, which watch for knowledge of the future, was raised.{rest}", "good")


def _sides(rows: Sequence[Mapping[str, Any]], leader: str) -> Finding | None:
    every = [row for row in rows if row["dated"] and row["edge"] == 0]
    if not every:
        return None
    side = every[0]
    return Finding(
        f"Sides. The {noun(leader)} was on the right side of {share(side['hit_rate'])} of {count(side['n'])} lines from before tip-off "
        f"[{share(side['low'])}, {share(side['high'])}]; at a price of −110 it takes {share(betting.BREAK_EVEN)} to lose nothing: {side['verdict']}."
    )
