"""Which box-score statistics a feature can't be made without: what a source never had is no broken join."""

import polars as pl

_SHOTS = ("fga", "fg3a", "fta")
_USAGE = ("fga", "fta", "tov")
_POSSESSIONS = ("fga", "fta", "oreb", "tov")

NEEDS: dict[str, tuple[str, ...]] = {
    "usage_rate": _USAGE,
    "usage_5": _USAGE,
    "out_usage": _USAGE,
    "out_usage_change": _USAGE,
    "fga_rate": ("fga",),
    "fga_5": ("fga",),
    "fta_rate": ("fta",),
    "reb_rate": ("reb",),
    "ast_rate": ("ast",),
    "blk_rate": ("blk",),
    "tov_rate": ("tov",),
    "three_share": ("fga", "fg3a"),
    "is_shooter": ("fga", "fg3a"),
    "is_big": ("reb",),
    "is_guard": ("ast",),
    "shot_points_8": _SHOTS,
    "shot_points_rate": _SHOTS,
    "plus_minus_15": ("plus_minus",),
    "neutral_site": ("neutral_site",),
    "team_pace": _POSSESSIONS,
    "opponent_pace": _POSSESSIONS,
    "game_pace": _POSSESSIONS,
}
"""Feature → the optional columns of nba_raw.player_box that it is made from; features that need none of them are not listed."""


def not_in_source(box: pl.DataFrame) -> list[str]:
    """Return the features that can't be made because a statistic is null in every box score.

    Parameters
    ----------
    box : DataFrame
        Rows of nba_raw.player_box.
    """
    absent = {name for name in box.columns if box[name].null_count() == box.height}
    return [feature for feature, needed in NEEDS.items() if absent.intersection(needed)]
