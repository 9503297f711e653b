"""What every fault has to show: the rows that were published, the alerts that were written and told, and the next step."""

from collections.abc import Iterable

import polars as pl

from nba_ml.notices import outbox
from nba_ml.warehouse.port import LATEST
from tests.faults.declared import Fault
from tests.faults.machine import NEXT, SLATE, Platform

_SAME = 1e-9


def shows(
    fault: Fault,
    platform: Platform,
    clean: pl.DataFrame,
    picks: pl.DataFrame,
    *,
    touched: Iterable[int] = (),
    other_lines: bool = False,
    within: float = _SAME,
    said: str = "",
) -> None:
    """Hold a platform to what a fault declares.

    Parameters
    ----------
    clean, picks : DataFrame
        Picks that count of a slate, without the fault and with it.
    touched : iterable of int
        Players whose rows the fault touches: what is published of them is blocked.
    other_lines : bool
        Whether lines may differ from those without the fault.
    within : float
        How far, in points, a number may be from the one without the fault.
    said : str
        What the error or the heartbeat says, where no alert names the command.
    """
    _rows(fault, clean, picks.filter(mode="live") if picks.height else picks, set(touched), other_lines, within)
    _alerts(fault, platform)
    texts = platform.alerts().select("what", "next_step").rows()
    wanted = _dated(fault.command)
    assert wanted in "\n".join([said, *(text for row in texts for text in row)])


def _rows(fault: Fault, clean: pl.DataFrame, picks: pl.DataFrame, touched: set[int], other_lines: bool, within: float) -> None:
    if fault.rows == "none":
        assert picks.height == 0
        return
    assert (fault.rows == "untouched") == bool(touched)
    bad = picks.filter(pl.col("player_id").is_in(touched) & ~pl.col("blocked"))
    assert bad.height == 0, bad
    ours, theirs = (rows.filter(~pl.col("player_id").is_in(touched)).sort("game_id", "player_id") for rows in (picks, clean))
    assert ours.select("game_id", "player_id").equals(theirs.select("game_id", "player_id"))
    apart = (ours["predicted_points"] - theirs["predicted_points"]).abs().max() or 0.0
    assert apart <= within, f"a number is {apart:.3f} points from the one without the fault"
    assert ours["predicted_points"].is_null().equals(theirs["predicted_points"].is_null())
    assert other_lines or ours["line"].equals(theirs["line"])
    assert ours["blocked"].equals(theirs["blocked"])


def _alerts(fault: Fault, platform: Platform) -> None:
    """Find one row a cause, which opened once, was told, and of which nothing was told twice."""
    written = platform.alerts()
    assert sorted(written["cause"]) == sorted(map(_dated, fault.alerts)), written.select("cause", "what").rows()
    tries = platform.context().warehouse.read(outbox.TABLE, as_of=LATEST)
    told = tries.filter(pl.col("delivered_at").is_not_null())
    assert not told.select("cause", "telling").is_duplicated().any(), told.rows()
    assert told.group_by("cause").agg(pl.col("opened_at").n_unique())["opened_at"].to_list() == [1] * written.height, told.rows()
    assert platform.slack.refused == []


def _dated(text: str) -> str:
    return text.format(slate=SLATE, next=NEXT)


def same_grades(ours: pl.DataFrame, clean: pl.DataFrame) -> bool:
    """Tell whether grades say the same of the same predictions; when they were made is not compared."""
    columns = ["prediction_id", "predicted_points", "line", "closing_line", "actual_points", "outcome", "outcome_at_close", "void_reason"]
    first, second = (grades.select(columns).sort("prediction_id") for grades in (ours, clean))
    return first.equals(second)
