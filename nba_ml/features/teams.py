"""Team and opponent: strength, scoring, pace, and what the opponent concedes to a player's kind."""

import polars as pl

from nba_ml.features.frame import Games
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
    strength = _strength(games).join(_pace(games), on=["team", "game_id"], how="left", maintain_order="left")
    own = strength.select("team", "game_id", "elo_margin", team_scored="scored_form", team_conceded="conceded_form", team_pace="pace")
    other = strength.select(
        opponent="team", game_id="game_id", opponent_scored="scored_form", opponent_conceded="conceded_form", opponent_pace="pace"
    )
    frame = games.players.with_columns(kind=kind)
    frame = frame.join(own, on=["team", "game_id"], how="left", maintain_order="left")
    frame = frame.join(other, on=["opponent", "game_id"], how="left", maintain_order="left")
    frame = frame.join(_concession(games, points_rate, kind), on=["opponent", "game_id", "kind"], how="left", maintain_order="left")
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


def _form(column: str, half_life: float) -> pl.Expr:
    return pl.col(column).shift(1).ewm_mean(half_life=half_life, ignore_nulls=True).forward_fill().over("team")


def _strength(games: Games) -> pl.DataFrame:
    """Scoring form of each team before each game, and the Elo margin expected of it."""
    return games.teams.with_columns(scored_form=_form("scored", FORM_HALF_LIFE), conceded_form=_form("conceded", FORM_HALF_LIFE)).join(
        elo_margins(games.teams), on=["team", "game_id"], how="left", maintain_order="left"
    )


def elo_margins(teams: pl.DataFrame) -> pl.DataFrame:
    """Return the expected margin of each team before each game, by Elo over earlier results.

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
    pre = home.select("game_id", "team", "opponent", margin=pl.Series(margins, dtype=pl.Float64))
    return pl.concat(
        [
            pre.select("team", "game_id", elo_margin="margin"),
            pre.select(team="opponent", game_id="game_id", elo_margin=-pl.col("margin")),
        ]
    )


def _pace(games: Games) -> pl.DataFrame:
    """Exponentially weighted possessions of a team per 240 player-minutes, before each game."""
    possessions = pl.col("fga") + FREE_THROW_WEIGHT * pl.col("fta") - pl.col("oreb") + pl.col("tov")
    sums = games.box.group_by("team", "game_id").agg(
        possessions=pl.when(possessions.null_count() == 0).then(possessions.sum()), minutes=pl.col("minutes").sum()
    )
    per_game = games.teams.join(sums, on=["team", "game_id"], how="left", maintain_order="left")
    per_game = per_game.with_columns(played_pace=pl.col("possessions") / pl.col("minutes") * 240)
    return per_game.select("team", "game_id", pace=_form("played_pace", FORM_HALF_LIFE))


def _concession(games: Games, points_rate: pl.Series, kind: pl.Series) -> pl.DataFrame:
    """Points per 36 minutes that a defence conceded beyond its opponents' usual rates, to each kind and to all, before each game."""
    rows = games.players.with_columns(kind=kind, surplus=pl.col("points") - pl.col("minutes") * points_rate).filter(~pl.col("upcoming"))
    sums = rows.group_by("opponent", "game_id", "kind", maintain_order=True).agg(pl.col("surplus", "minutes").sum())
    grid = games.teams.select(opponent="team", game_id="game_id", game_date="game_date").join(pl.DataFrame({"kind": KINDS}), how="cross")
    grid = grid.join(sums, on=["opponent", "game_id", "kind"], how="left", maintain_order="left")
    known = pl.col("minutes").is_not_null().any()
    totals = grid.group_by("opponent", "game_id", "game_date", maintain_order=True).agg(
        pl.when(known).then(pl.col("surplus", "minutes").sum())  # a game without box rows is no game of 0 minutes
    )
    by_kind = grid.sort("opponent", "kind", "game_date", "game_id").with_columns(_conceded("opponent", "kind").alias("conceded_to_kind"))
    overall = totals.with_columns(_conceded("opponent").alias("conceded_to_all"))
    return by_kind.select("opponent", "game_id", "kind", "conceded_to_kind").join(
        overall.select("opponent", "game_id", "conceded_to_all"), on=["opponent", "game_id"], how="left", maintain_order="left"
    )


def _conceded(*group: str) -> pl.Expr:
    surplus, minutes = (
        pl.col(name).shift(1).ewm_mean(half_life=CONCESSION_HALF_LIFE, ignore_nulls=True).forward_fill().over(*group)
        for name in ("surplus", "minutes")
    )
    return surplus / minutes * MINUTES
