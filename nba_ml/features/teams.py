"""Team and opponent: strength, scoring, pace, and what the opponent concedes to a player's kind."""

import numpy as np
import polars as pl

from nba_ml.features.frame import Games, at, sums
from nba_ml.features.rates import FREE_THROW_WEIGHT, KINDS

ELO_START = 1500.0
ELO_K = 20.0
ELO_HOME = 70.0
ELO_CARRY = 0.75
"""Elo as 538 published it for the NBA (K 20, a quarter regressed to the mean each summer); its home advantage of 100 has shrunk to about 70."""

POINTS_PER_ELO = 1 / 28
"""Expected margin of one Elo point (538: 28 Elo are one point)."""

FORM_HALF_LIFE = 10
CONCESSION_HALF_LIFE = 15
"""Half-lives in team games; notes on the choosing seasons 2021-22 to 2023-24 found them flat around these values."""

MINUTES = 36


def teams(games: Games, points_rate: pl.Series, kind: pl.Series) -> pl.DataFrame:
    """Return one row per player-game, in the order of ``games.players``.

    Parameters
    ----------
    games : Games
    points_rate : Series of float
        Each row's shrunk points per minute before the game.
    kind : Series of str
        Each row's kind of scorer before the game.
    """
    form = _form(games)
    own = form.select("elo_margin", team_scored="scored", team_conceded="conceded", team_pace="pace")
    other = form.select(opponent_scored="scored", opponent_conceded="conceded", opponent_pace="pace")
    players = games.players.select("side", "other", kind=kind)
    frame = players.hstack(at(own, players["side"])).hstack(at(other, players["other"]))
    frame = frame.hstack(_concession(games, points_rate, kind))
    return frame.select(
        "elo_margin",
        "team_scored",
        "team_conceded",
        "team_pace",
        "opponent_scored",
        "opponent_conceded",
        "opponent_pace",
        "conceded_to_kind",
        "conceded_to_all",
        expected_team_points=(pl.col("team_scored") + pl.col("opponent_conceded")) / 2,
        game_pace=(pl.col("team_pace") + pl.col("opponent_pace")) / 2,
        is_big=(pl.col("kind") == "big").cast(pl.Int64),
        is_guard=(pl.col("kind") == "guard").cast(pl.Int64),
        is_shooter=(pl.col("kind") == "shooter").cast(pl.Int64),
    )


def _before(column: str, half_life: float, *group: str) -> pl.Expr:
    """Exponentially weighted mean over the earlier games of a group."""
    return pl.col(column).shift(1).ewm_mean(half_life=half_life, ignore_nulls=True).forward_fill().over(group)


def _form(games: Games) -> pl.DataFrame:
    """Scoring, conceding and pace of each team before each game, and the Elo margin expected of it, in the order of ``games.teams``."""
    played = games.teams.select("team", "scored", "conceded", pace=_pace(games))
    return played.select(
        *[_before(name, FORM_HALF_LIFE, "team").alias(name) for name in ("scored", "conceded", "pace")], elo_margin=elo_margins(games.teams)
    )


def elo_margins(teams: pl.DataFrame) -> pl.Series:
    """Return the expected margin of each team before each game, by Elo over earlier results, in the order of `teams`.

    Parameters
    ----------
    teams : DataFrame
        Team-games as in `Games.teams`; a game without a score changes no rating.
    """
    home = teams.filter("is_home").sort("game_date", "game_id")
    rating: dict[str, float] = {}
    season_of: dict[str, str] = {}
    margins = []
    for team, other, season, scored, conceded in home.select("team", "opponent", "season", "scored", "conceded").rows():
        for name in (team, other):
            if season_of.get(name) != season:
                rating[name] = ELO_START + ELO_CARRY * (rating.get(name, ELO_START) - ELO_START)
                season_of[name] = season
        gap = rating[team] + ELO_HOME - rating[other]
        margins.append(gap * POINTS_PER_ELO)
        if scored is not None and conceded is not None:
            won = 1.0 if scored > conceded else 0.0
            multiplier = (abs(scored - conceded) + 3) ** 0.8 / (7.5 + 0.006 * (gap if won else -gap))
            step = ELO_K * multiplier * (won - 1 / (1 + 10 ** (-gap / 400)))
            rating[team] += step
            rating[other] -= step
    by_side = np.full(teams.height, np.nan)
    for side, sign in (("side", 1.0), ("other", -1.0)):
        known = home[side].is_not_null().to_numpy()
        by_side[home[side].drop_nulls().to_numpy()] = sign * np.array(margins)[known]
    return pl.Series("elo_margin", by_side).fill_nan(None)


def _pace(games: Games) -> pl.Series:
    """Possessions of a team per 240 player-minutes in each game, in the order of ``games.teams``."""
    possessions = pl.col("fga") + FREE_THROW_WEIGHT * pl.col("fta") - pl.col("oreb") + pl.col("tov")
    ended = games.box.select("minutes", possessions=possessions.cast(pl.Float64).fill_null(float("nan")))
    played = sums(ended, games.box["side"], games.teams.height)
    return played.select(pace=pl.col("possessions").fill_nan(None) / pl.col("minutes") * 240)["pace"]


def _concession(games: Games, points_rate: pl.Series, kind: pl.Series) -> pl.DataFrame:
    """Points per 36 minutes that a defence conceded beyond its opponents' usual rates, to each kind and to all, before each game of a player."""
    place = pl.col("other").cast(pl.Int64) * len(KINDS) + kind.replace_strict(list(KINDS), range(len(KINDS)), return_dtype=pl.Int64)
    surplus = (pl.col("points") - pl.col("minutes") * points_rate).fill_null(0.0)  # of someone without a rate nothing was expected
    rows = games.players.select("upcoming", "minutes", "other", surplus=surplus, place=place)
    past = rows.filter(~pl.col("upcoming"))
    conceded = past.select("surplus", "minutes")
    opponents = games.teams.select(opponent="team")
    kinds = opponents.join(pl.DataFrame({"kind": KINDS}), how="cross")
    by_kind = kinds.hstack(sums(conceded, past["place"], kinds.height)).select(conceded_to_kind=_conceded("opponent", "kind"))
    overall = opponents.hstack(sums(conceded, past["other"], opponents.height)).select(conceded_to_all=_conceded("opponent"))
    return at(by_kind, rows["place"]).hstack(at(overall, rows["other"]))


def _conceded(*group: str) -> pl.Expr:
    return _before("surplus", CONCESSION_HALF_LIFE, *group) / _before("minutes", CONCESSION_HALF_LIFE, *group) * MINUTES
