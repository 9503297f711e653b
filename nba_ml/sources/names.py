"""Players' names from feeds that give no id: folded, and matched to players who had already played."""

import unicodedata
from collections.abc import Iterable

import polars as pl

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "v"})
_LETTERS = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i", "ß": "ss", "æ": "ae", ".": "", "'": "", "’": "", "`": "", "-": " "})
_LEAST_PREFIX = 2


def fold(name: str) -> str:
    """Write a name without accents, punctuation, capitals and generation suffix: ``Vlatko Čančar Jr.`` → ``vlatko cancar``."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    words = "".join(letter for letter in plain if not unicodedata.combining(letter)).split()
    while len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    return " ".join(words)


def match(rows: pl.DataFrame, roster: pl.DataFrame) -> pl.DataFrame:
    """Find the players that rows without an id speak of.

    Parameters
    ----------
    rows : DataFrame
        ``player_raw``, ``game_date``.
    roster : DataFrame
        ``player_id``, ``player_name``, ``first_seen``: one row per player and spelling, with the date of the first game.

    Returns
    -------
    DataFrame
        ``player_id``, ``player_name`` in the order of `rows`; null where no player, or more than one, fits.

    Notes
    -----
    Only players first seen before the row's game date are candidates, so that later data never changes what an old row was matched to.
    The folded names must be equal; failing that, the last names equal and one first name a prefix of the other (Cam, Cameron).
    """
    candidates = roster.with_columns(_keys(roster["player_name"]))
    wanted = rows.select("game_date", *_keys(rows["player_raw"])).with_row_index("row")
    exact = _only(wanted.join(candidates, on="folded"))
    near = wanted.join(exact, on="row", how="anti").join(candidates, on="last").filter(_prefixed())
    found = pl.concat([exact, _only(near)])
    return wanted.select("row").join(found, on="row", how="left", maintain_order="left").select("player_id", "player_name")


def _keys(names: Iterable[str]) -> list[pl.Series]:
    folded = [fold(name) for name in names]
    parts = [name.split(" ", 1) if " " in name else ["", name] for name in folded]
    return [
        pl.Series("folded", folded, dtype=pl.String),
        pl.Series("first", [first for first, _ in parts], dtype=pl.String),
        pl.Series("last", [last for _, last in parts], dtype=pl.String),
    ]


def _prefixed() -> pl.Expr:
    mine, theirs = pl.col("first"), pl.col("first_right")
    either = mine.str.starts_with(theirs) | theirs.str.starts_with(mine)
    return either & (mine.str.len_chars() >= _LEAST_PREFIX) & (theirs.str.len_chars() >= _LEAST_PREFIX)


def _only(pairs: pl.DataFrame) -> pl.DataFrame:
    known = pairs.filter(pl.col("first_seen") < pl.col("game_date")).sort("row", "first_seen", "player_id", "player_name")
    players = known.group_by("row", maintain_order=True).agg(
        pl.col("player_id").first(), pl.col("player_name").last(), pl.col("player_id").n_unique().alias("fits")
    )
    return players.filter(pl.col("fits") == 1).select("row", "player_id", "player_name")
