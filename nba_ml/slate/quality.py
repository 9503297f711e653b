"""Quality of a pick: a tier by count, and named reasons. Nothing here changes a number; a blocked pick keeps its own and is graded too."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Reason:
    """Why a pick is marked: what it means, and whether it blocks the pick from use."""

    name: str
    blocks: bool
    meaning: str


REASONS = (
    Reason("stale_team", True, "the result of the team's last finished game is missing or incomplete"),
    Reason("quarantined", True, "the feature row broke a rule of the suite slate_features and was not scored"),
    Reason("no_feature_row", True, "the source gives features, and has no accepted row of them for the player; he was not scored"),
    Reason("failed_check", True, "the pick broke a row rule of the suite predictions"),
    Reason("abstained", True, "the ensemble gives no number"),
    Reason("missing_required", True, "a required feature is missing"),
    Reason("too_few_games", True, "fewer than 5 earlier games"),
    Reason("long_absence", False, "no game in the last 15 days, or the season has just opened: recent form is old"),
    Reason("thin_agreement", False, "fewer than half of the independent voices lie on the number's side of the line"),
    Reason("no_line", False, "no usable line at the cut-off"),
)
"""All reasons, in the order in which a pick lists them."""

LEAST_GAMES = 5
SILVER_GAMES = 10
GOLD_GAMES = 30
ABSENCE_DAYS = 15
"""Earlier games below which a pick is blocked, and from which it can be silver or gold; days without a game after which form is old."""

BRONZE_MISSING = 2
"""Missing required features up to which a pick is bronze (and blocked); with more it is unusable."""

NAMES = tuple(reason.name for reason in REASONS)
BLOCKING = tuple(reason.name for reason in REASONS if reason.blocks)
WITHHELD = ("quarantined", "no_feature_row")
"""Reasons for which a player is not scored."""

_UNUSABLE = ("stale_team", *WITHHELD, "failed_check", "abstained")


def assess(slate: pl.DataFrame, features: pl.DataFrame, required: tuple[str, ...]) -> pl.DataFrame:
    """Add what the features say of a pick before it is scored.

    Parameters
    ----------
    slate : DataFrame
        game_id, player_id and ``reasons``.
    features : DataFrame
        Feature rows: game_id, player_id, prior_games, season_avg_minutes, rest_days and the `required` ones; a row that is absent
        lacks them all.
    required : tuple of str
        Names of the required features.

    Returns
    -------
    DataFrame
        `slate`, in its order, with missing_features, prior_games, season_avg_minutes, and the reasons that follow from them.
    """
    counted = features.select(
        "game_id",
        "player_id",
        prior_games=pl.col("prior_games").cast(pl.Int64),
        season_avg_minutes="season_avg_minutes",
        rest_days="rest_days",
        missing_features=pl.sum_horizontal(pl.col(name).is_null().cast(pl.Int64) for name in required),
    )
    rows = slate.drop("prior_games", "season_avg_minutes", "missing_features", "rest_days", strict=False)
    rows = rows.join(counted, on=["game_id", "player_id"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("missing_features").fill_null(len(required)))
    found = {
        "missing_required": pl.col("missing_features") > 0,
        "too_few_games": pl.col("prior_games").fill_null(0) < LEAST_GAMES,
        "long_absence": (pl.col("rest_days") >= ABSENCE_DAYS).fill_null(value=True),
    }
    return mark(rows, found).drop("rest_days")


def judge(slate: pl.DataFrame) -> pl.DataFrame:
    """Add tier and reasons to the rows of a slate.

    Parameters
    ----------
    slate : DataFrame
        Rows after `assess` and the consensus.

    Returns
    -------
    DataFrame
        `slate`, in its order, with quality_tier, reasons and blocked.

    Notes
    -----
    gold: no required feature missing, 30 earlier games, played within 15 days. silver: none missing and 10 earlier games. bronze: at most
    2 missing. unusable: more missing, or a reason of stale_team, quarantined, no_feature_row, failed_check or abstained.
    """
    found = {
        "abstained": pl.col("predicted_points").is_null(),
        "thin_agreement": 2 * pl.col("agreement") < pl.col("voices"),
        "no_line": pl.col("line").is_null(),
    }
    rows = mark(slate, found)
    reasons = pl.col("reasons").fill_null("").str.split(",")
    whole, games = pl.col("missing_features") == 0, pl.col("prior_games").fill_null(0)
    unusable = pl.any_horizontal(reasons.list.contains(name) for name in _UNUSABLE) | (pl.col("missing_features") > BRONZE_MISSING)
    gold = whole & (games >= GOLD_GAMES) & ~reasons.list.contains("long_absence")
    good = pl.when(gold).then(pl.lit("gold")).when(whole & (games >= SILVER_GAMES)).then(pl.lit("silver")).otherwise(pl.lit("bronze"))
    return rows.with_columns(quality_tier=pl.when(unusable).then(pl.lit("unusable")).otherwise(good))


def is_marked(*names: str) -> pl.Expr:
    """Return whether ``reasons`` holds one of these names."""
    given = pl.col("reasons").fill_null("").str.split(",")
    return pl.any_horizontal(given.list.contains(name) for name in names)


def mark(rows: pl.DataFrame, found: dict[str, pl.Expr]) -> pl.DataFrame:
    """Write reasons, and say whether one of them blocks.

    Parameters
    ----------
    rows : DataFrame
        With the column ``reasons``: names separated by commas, or null.
    found : dict of str to Expr
        Reason → which rows it holds for. Reasons that it does not speak of stay as earlier steps left them.
    """
    given = pl.col("reasons").fill_null("").str.split(",")
    holds = {name: found[name].fill_null(value=False) if name in found else given.list.contains(name) for name in NAMES}
    listed = pl.concat_list([pl.when(holds[name]).then(pl.lit(name)) for name in NAMES]).list.drop_nulls()
    text = pl.when(listed.list.len() > 0).then(listed.list.join(","))
    return rows.with_columns(reasons=text, blocked=pl.any_horizontal(holds[name] for name in BLOCKING))
