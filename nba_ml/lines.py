"""One line per player and date out of the quotes of many books and feeds, without ever using a quote from during or after the game.

A quote is *dated* when its capture time is stored. Only a dated quote can be shown to be from before tip-off; the others are used under
their label (`line_kind`), in replays and backtests alone. An opening quote (`first_column_open`) is never used: over side only, and
half a day older than the rest.
"""

from datetime import datetime

import polars as pl

from nba_ml.odds import american, implied, vig_free

KEY = ("game_date", "player_id")

NOMINAL_BOOKS = frozenset({"prizepicks", "underdog", "draftkings_pick6", "sleeper", "parlayplay", "betr_picks", "dabble", "chalkboard"})
"""Pick'em operators: the price in their feed is the same for every pick and no price of this line."""

_CLOSE = "consensus_close"
_UNDATED = "undated_snapshot"
_DATED = pl.col("captured_at").is_not_null() & pl.col("line_kind").is_in(["snapshot", "last_snapshot", _CLOSE])


def consensus(
    quotes: pl.DataFrame,
    *,
    as_of: datetime | None = None,
    tipoffs: pl.DataFrame | None = None,
    live: bool = False,
) -> pl.DataFrame:
    """Return the consensus line of each player and date: the median over books of each book's latest usable quote.

    Parameters
    ----------
    quotes : DataFrame
        Rows of nba_raw.prop_lines. Those without player_id are left out.
    as_of : datetime, optional
        The moment a slate is predicted from. Dated quotes captured by then come first; a player who has none gets his undated ones
        (`consensus_close`, else `undated_snapshot`). Without `as_of`, the rule of backtests: `consensus_close` and each book's last dated
        quote before tip-off together; where there are none, `undated_snapshot`.
    tipoffs : DataFrame, optional
        Columns game_id and tipoff_utc, as in nba_raw.schedule. A dated quote captured at or after the tip-off given here or by its
        feed is in-play and never used; a `snapshot` whose tip-off is unknown needs `as_of`.
    live : bool
        Nothing but dated quotes, ever.

    Returns
    -------
    DataFrame
        One row per (game_date, player_id), ordered by them: line, line_kind, line_source, line_books, line_captured_at, over_odds,
        under_odds, p_over_market. Prices are medians, in probability, over the books that quote exactly the line, else over all;
        nominal and suspect prices are no prices. p_over_market is free of vig, 0..1, and null without two real prices.
    """
    close, undated = pl.col("line_kind") == _CLOSE, pl.col("line_kind") == _UNDATED
    if live:
        ranked: pl.Expr = pl.when(_DATED).then(0)
    elif as_of is None:
        ranked = pl.when(_DATED | close).then(0).otherwise(pl.when(undated).then(1))
    else:
        ranked = pl.when(_DATED).then(0).otherwise(pl.when(close).then(1).otherwise(pl.when(undated).then(2)))
    return _median_line(_best_quotes(_before_tipoff(quotes, tipoffs, as_of), ranked))


def closing(quotes: pl.DataFrame, tipoffs: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the closing line of each player and date: each book's last dated quote before tip-off, else `consensus_close`.

    An undated snapshot never counts as closing. Parameters as in `consensus`.

    Returns
    -------
    DataFrame
        game_date, player_id, closing_line, closing_kind.
    """
    ranked = pl.when(_DATED).then(0).otherwise(pl.when(pl.col("line_kind") == _CLOSE).then(1))
    found = _median_line(_best_quotes(_before_tipoff(quotes, tipoffs, None), ranked))
    return found.select(*KEY, closing_line="line", closing_kind="line_kind")


def listed(quotes: pl.DataFrame) -> pl.DataFrame:
    """Return who the quotes speak of: player_name and team by (game_date, player_id).

    The team is null for everyone on a date where it is null in any quote: such a feed was matched to box scores afterwards, so that a named
    team says who played.
    """
    named = quotes.filter(pl.col("player_id").is_not_null()).sort("captured_at", "source", "bookmaker", nulls_last=False)
    team = pl.when(pl.col("team").is_not_null().all().over("game_date")).then(pl.col("team"))
    return (
        named.with_columns(team=team)
        .group_by(KEY)
        .agg(pl.col("player_name", "player_raw").drop_nulls().last(), pl.col("team").last())
        .select(*KEY, pl.coalesce("player_name", "player_raw").alias("player_name"), "team")
        .sort(KEY)
    )


def _before_tipoff(quotes: pl.DataFrame, tipoffs: pl.DataFrame | None, as_of: datetime | None) -> pl.DataFrame:
    if tipoffs is None:
        tipoffs = pl.DataFrame(schema={"game_id": pl.String, "tipoff_utc": quotes.schema["tipoff_utc"]})
    scheduled = tipoffs.select("game_id", scheduled="tipoff_utc").unique("game_id")
    tipoff = pl.min_horizontal("tipoff_utc", "scheduled")
    captured, undated = pl.col("captured_at"), pl.col("captured_at").is_null()
    usable = undated | (captured < tipoff)
    if as_of is None:
        # A last_snapshot is by its feed's definition from before tip-off; a plain snapshot has only its time to show for it.
        usable |= tipoff.is_null() & (pl.col("line_kind") != "snapshot")
    else:
        usable = undated | ((captured <= as_of) & (tipoff.is_null() | (captured < tipoff)))
    return quotes.filter(pl.col("player_id").is_not_null()).join(scheduled, on="game_id", how="left").filter(usable)


def _best_quotes(quotes: pl.DataFrame, rank: pl.Expr) -> pl.DataFrame:
    """Keep each player's quotes of the lowest rank (null: unusable), and of those the latest of each book."""
    ranked = quotes.with_columns(rank=rank).filter(pl.col("rank").is_not_null())
    best = ranked.filter(pl.col("rank") == pl.col("rank").min().over(KEY))
    order = ["captured_at", "source", "line_kind", "line", "over_odds", "under_odds"]
    return best.sort(order, nulls_last=False).group_by(*KEY, "bookmaker").agg(pl.all().last())


def _median_line(quotes: pl.DataFrame) -> pl.DataFrame:
    def joined(name: str) -> pl.Expr:
        return pl.col(name).unique().sort().str.join(",")

    real = ~pl.col("bookmaker").str.to_lowercase().is_in(NOMINAL_BOOKS) & ~pl.col("odds_suspect").fill_null(value=False)
    at_line = pl.col("line") == pl.col("line").median().over(KEY)
    prices = quotes.with_columns(
        counts=real & (at_line | ~at_line.any().over(KEY)),
        p_over=implied(pl.col("over_odds")),
        p_under=implied(pl.col("under_odds")),
        fair=vig_free(pl.col("over_odds"), pl.col("under_odds")),
    )
    agreed = prices.group_by(KEY).agg(
        pl.col("line").median(),
        line_kind=joined("line_kind"),
        line_source=joined("source"),
        line_books=pl.len().cast(pl.Int64),
        line_captured_at=pl.col("captured_at").max(),
        over_odds=pl.col("p_over").filter("counts").median(),
        under_odds=pl.col("p_under").filter("counts").median(),
        p_over_market=pl.col("fair").filter("counts").median(),
    )
    return agreed.with_columns(over_odds=american(pl.col("over_odds")), under_odds=american(pl.col("under_odds"))).sort(KEY)
