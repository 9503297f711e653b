"""American odds as files give them: quotes whose price is no price keep their line and lose the price."""

import polars as pl

from nba_ml.errors import BadInput

_LEAST_AMERICAN = 100.0
_DECIMAL_RANGE = (1.01, 30.0)
_MOST_DECIMAL = 0.05
_MOST_BY_CHANCE = 2


def refuse_decimal(frame: pl.DataFrame, columns: dict[str, str], file: str) -> None:
    """Refuse decimal odds.

    Parameters
    ----------
    frame : DataFrame
        Holds the prices, in American odds.
    columns : dict of str to str
        Price column → its name in the file.
    file : str
        Name of the file.

    Raises
    ------
    BadInput
        If more than one in twenty of a column's prices, and more than two, lie between 1.01 and 30, which no American price does. An average
        across the sign may: on a day with few games one or two are no sign of anything, and `drop_impossible` drops them.
    """
    for column, name in columns.items():
        prices = frame[column].drop_nulls()
        decimal = int(prices.is_between(*_DECIMAL_RANGE).sum())
        if decimal > max(_MOST_DECIMAL * len(prices), _MOST_BY_CHANCE):
            raise BadInput(
                f"{file}, field {name}: {decimal} of {len(prices)} prices lie between {_DECIMAL_RANGE[0]} and {_DECIMAL_RANGE[1]:g}, "
                "so these, or some of them, are decimal odds; convert them to American odds and run the same command again"
            )


def drop_impossible(frame: pl.DataFrame, columns: list[str], flag: str | None = None) -> pl.DataFrame:
    """Set prices between −100 and 100 to null: American odds know none, an average across the sign makes them.

    Parameters
    ----------
    frame : DataFrame
        Holds the prices.
    columns : list of str
        Price columns.
    flag : str, optional
        Boolean column that becomes true where a price was dropped.
    """
    impossible = {column: pl.col(column).abs() < _LEAST_AMERICAN for column in columns}
    changes = [pl.when(~wrong).then(pl.col(column)).alias(column) for column, wrong in impossible.items()]
    if flag is not None:
        dropped = pl.any_horizontal(wrong.fill_null(value=False) for wrong in impossible.values())
        changes.append(pl.when(dropped).then(statement=True).otherwise(pl.col(flag)).alias(flag))
    return frame.with_columns(changes)
