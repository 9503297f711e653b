"""The team's quotes on players' points as rows of nba_raw.prop_lines."""

import polars as pl

from nba_ml import calendar
from nba_ml.sources import prices
from nba_ml.warehouse.schema import table

_PRICES = ["over_odds", "under_odds"]
_MOMENT = pl.Datetime("us", "UTC")


def line_rows(quotes: pl.DataFrame | None, outcomes: pl.DataFrame, box: pl.DataFrame, players: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return rows of nba_raw.prop_lines.

    Parameters
    ----------
    quotes : DataFrame, optional
        Columns of `columns.LINES` that the team's table of quotes has. A quote without a time of capture is an undated snapshot.
    outcomes : DataFrame
        Without `quotes`, its column ``line`` gives one undated snapshot a player.
    box : DataFrame
        Rows of nba_raw.player_box, for the game of a quote.
    players : DataFrame
        See `players.directory`.
    source : str
        Table that the quotes come from.
    """
    target = table("nba_raw.prop_lines")
    if quotes is None:
        rows = outcomes.select(
            "game_date", "player_lookup", bookmaker=pl.coalesce("line_book", pl.lit("consensus")), line=pl.col("line").cast(pl.Float64)
        ).filter(pl.col("line").is_not_null())
    else:
        rows = quotes.unique(maintain_order=True)
    absent = {"over_odds": pl.Float64(), "under_odds": pl.Float64(), "captured_at": _MOMENT}
    rows = rows.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in absent.items() if name not in rows.columns)
    prices.refuse_decimal(rows, {name: name for name in _PRICES}, source)
    rows = prices.drop_impossible(rows.with_columns(odds_suspect=pl.lit(None, pl.Boolean)), _PRICES, flag="odds_suspect")
    rows = rows.join(players, on="player_lookup", how="left", maintain_order="left")
    games = box.select("game_date", "player_id", "game_id").unique(["game_date", "player_id"], keep="first", maintain_order=True)
    rows = rows.join(games, on=["game_date", "player_id"], how="left", maintain_order="left").sort(
        "game_date", "player_lookup", "bookmaker", "captured_at", "line", nulls_last=False
    )
    kind = pl.when(pl.col("captured_at").is_null()).then(pl.lit("undated_snapshot")).otherwise(pl.lit("snapshot"))
    season = [calendar.season_name(calendar.season_year(day)) for day in rows["game_date"]]
    rows = rows.with_columns(
        pl.Series("season", season, dtype=pl.String),
        player_raw="player_lookup",
        market=pl.lit("points"),
        line_kind=kind,
        source=pl.lit(source),
        **{name: pl.lit(None, target.schema[name]) for name in ("team", "opponent", "tipoff_utc")},
    )
    return rows.select(name for name in target.schema if name != "id")
