"""A made-up backtest: skewed integer points, systems of known quality, lines of three kinds on some rows."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

NOISE = {
    "xgboost": 1.2,
    "ensemble": 1.15,
    "ridge": 1.45,
    "ewma_hl8": 1.7,
    "last_10": 2.0,
    "moving_average": 1.9,
    "matchup": 2.1,
    "similarity": 2.2,
}


def make_backtest(
    days: int = 100, players: int = 40, first: date = date(2023, 12, 1), seed: int = 1, noise: dict | None = None
) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = days * players
    day = np.repeat(np.arange(days), players)
    level = np.tile(np.exp(rng.normal(2.2, 0.6, players)), days)
    mean = np.clip(level + rng.normal(0, 2.0, n), 0.5, 40)
    actual = rng.negative_binomial(5, 5 / (5 + mean)).astype(float)
    lined = (level > 9) & (rng.random(n) < 0.8)
    line = np.where(lined, np.floor(mean * 0.97 + rng.normal(0, 0.7, n)) + 0.5, np.nan)
    kinds = np.array(["consensus_close", "consensus_close,last_snapshot", "undated_snapshot"])
    kind = kinds[np.minimum(day * 3 // days, 2)]
    p_true = 1 / (1 + np.exp(-(mean * 0.97 - line) / 4))
    facts = pl.DataFrame(
        {
            "slate_date": [first + timedelta(days=int(d)) for d in day],
            "season": "2023-24",
            "season_type": "Regular Season",
            "game_id": [f"g{d:03d}{p % 8}" for d, p in zip(day, np.tile(np.arange(players), days), strict=True)],
            "player_id": np.tile(np.arange(players, dtype=np.int64), days),
            "line": pl.Series(line).fill_nan(None),
            "line_kind": pl.Series([name if has else None for name, has in zip(kind, lined, strict=True)], dtype=pl.String),
            "over_odds": pl.Series(np.where(lined, -112.0, np.nan)).fill_nan(None),
            "under_odds": pl.Series(np.where(lined, -108.0, np.nan)).fill_nan(None),
            "p_over_market": pl.Series(
                np.where(lined & (rng.random(n) < 0.7), np.clip(0.49 + (p_true - 0.5) * 0.5, 0.05, 0.95), np.nan)
            ).fill_nan(None),
            "prior_games": day.astype(np.int64) + 1,
            "season_avg_minutes": np.tile(np.clip(rng.normal(22, 7, players), 4, 38), days),
            "actual_points": actual,
            "actual_minutes": np.clip(level * 1.4, 5, 40),
            "trained_until": [first + timedelta(days=int(d) // 28 * 28 - 1) for d in day],
        }
    )
    parts = []
    for system, size in (NOISE | (noise or {})).items():
        predicted = np.clip(mean + rng.normal(0, size, n), 0, None)
        if system == "similarity":
            predicted = np.where(day < 12, np.nan, predicted)
        model = system in ("xgboost", "ensemble")
        width = 2.2 + 0.9 * np.sqrt(predicted + 1) * 1.6
        with_line = np.where(lined, 0.6 * (line - 0.3) + 0.4 * predicted, np.nan)
        p_over = np.where(lined, 1 / (1 + np.exp(-(predicted - line) / 9)), np.nan)
        nan = np.full(n, np.nan)
        parts.append(
            facts.with_columns(
                system_id=pl.lit(system),
                predicted_points=pl.Series(predicted).fill_nan(None),
                predicted_points_with_line=pl.Series(with_line if model else nan).fill_nan(None),
                q10=pl.Series(np.clip(predicted - width, 0, None) if model else nan).fill_nan(None),
                q50=pl.Series(np.clip(predicted - 0.4, 0, None) if model else nan).fill_nan(None),
                q90=pl.Series(predicted + width if model else nan).fill_nan(None),
                crps=pl.Series(0.7 * np.abs(predicted - actual) if model else nan).fill_nan(None),
                p_over=pl.Series(p_over if model else nan).fill_nan(None),
            )
        )
    return pl.concat(parts)


@pytest.fixture(scope="session")
def make_frame():
    return make_backtest


@pytest.fixture(scope="session")
def backtest() -> pl.DataFrame:
    return make_backtest()
