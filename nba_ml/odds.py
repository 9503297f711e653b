"""American odds as probabilities, and the bookmaker's margin taken out of them."""

import polars as pl

_EVEN = 100.0


def implied(odds: pl.Expr) -> pl.Expr:
    """Return the probability that American odds imply, margin included.

    ``100 / (a + 100)`` for a > 0, ``-a / (-a + 100)`` for a < 0. Null where the absolute value is below 100: no bookmaker quotes such
    odds; they come from averaging across the sign.
    """
    size = odds.abs()
    return pl.when(size >= _EVEN).then(pl.when(odds > 0).then(_EVEN).otherwise(size) / (size + _EVEN))


def american(probability: pl.Expr) -> pl.Expr:
    """Return the American odds that imply a probability strictly between 0 and 1; even odds are written +100, null outside."""
    favourite = -_EVEN * probability / (1 - probability)
    outsider = _EVEN * (1 - probability) / probability
    inside = (probability > 0) & (probability < 1)
    return pl.when(inside).then(pl.when(probability > 0.5).then(favourite).otherwise(outsider).round(4))


def vig_free(over: pl.Expr, under: pl.Expr) -> pl.Expr:
    """Return the market's probability of the over: ``p_over / (p_over + p_under)``, 0..1; null where a price is missing or no price.

    Multiplicative normalisation. In two-way markets near even odds it, the power method and Shin's differ by less than a point, and
    the result is recalibrated on past results anyway.
    """
    p_over = implied(over)
    return p_over / (p_over + implied(under))
