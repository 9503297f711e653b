"""A slate and its grades as tables for people."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from nba_ml.cli.output import print_table, results

_SHOWN = 40


def print_picks(title: str, picks: pl.DataFrame, limit: int = _SHOWN) -> None:
    """Print picks, those with the largest numbers first.

    Parameters
    ----------
    title : str
    picks : DataFrame
        Rows of nba_predictions.player_prop_predictions.
    limit : int
        Rows to print; the rest is counted.
    """
    ordered = picks.sort("predicted_points", "player_name", descending=[True, False], nulls_last=True)
    columns = ("player", "game", "number", "80 %", "line", "side", "P(over)", "agree", "tier", "reasons")
    print_table(title, columns, (_row(pick) for pick in ordered.head(limit).to_dicts()))
    if picks.height > limit:
        results.print(f"… and {picks.height - limit} more: all of them are in nba_predictions.v_latest_predictions")


def print_systems(title: str, systems: Iterable[Mapping[str, Any]]) -> None:
    """Print each system's grades; `systems` as `nba_ml.grading.grade` returns them.

    Over all rows with a result: n and MAE. Over those of them with a line: how many, the system's MAE and the line's own, picks won and lost, and
    the share won.
    """
    columns = ("system", "n", "MAE", "lined", "MAE", "line's", "won", "lost", "hits")
    names = ("system_id", "n", "mae", "n_line", "mae_on_lines", "line_mae", "wins", "losses", "hit_rate")
    print_table(title, columns, ([system[name] for name in names] for system in systems))


def _row(pick: Mapping[str, Any]) -> list[object]:
    interval = None if pick["q10"] is None else f"{pick['q10']:.0f}–{pick['q90']:.0f}"
    agreement = None if pick["agreement"] is None else f"{pick['agreement']}/{pick['voices']}"
    return [
        pick["player_name"],
        f"{pick['team']}{'-' if pick['is_home'] else '@'}{pick['opponent']}",
        _one_decimal(pick["predicted_points"]),
        interval,
        _one_decimal(pick["line"]),
        pick["side"],
        pick["p_over"],
        agreement,
        pick["quality_tier"],
        (pick["reasons"] or "").replace(",", ", "),
    ]


def _one_decimal(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
