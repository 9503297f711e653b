"""What a number means: its predictive distribution, the probability of the over, and what it becomes once a line is seen.

All of it is learned from out-of-fold predictions of earlier dates; the probability of the over is drawn towards a prior of parameters.toml.
"""

from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from nba_ml.systems.base import parameters, row_sums

BANDS = 12
GRID = np.linspace(0.0025, 0.9975, 200)
"""Probabilities at which the standardised residuals of each band are kept."""

LEAST_LINED_ROWS = 1_000
"""Rows with a line below which no number is given with the line."""


@dataclass(frozen=True)
class Platt:
    """Platt scaling: a logistic curve over the logit of one or more probabilities (Platt, 1999). `coefficients`: intercept and slopes."""

    coefficients: tuple[float, ...]

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """Return the recalibrated probability of each row, shape (rows,) or (rows, probabilities); NaN stays NaN."""
        logits = _logit(probability.reshape(len(probability), -1))
        return 1 / (1 + np.exp(-(self.coefficients[0] + row_sums(logits * np.array(self.coefficients[1:])))))


@dataclass(frozen=True)
class Prior:
    """What is believed of a Platt curve before any row was seen.

    Attributes
    ----------
    curve : Platt
    at : ndarray, shape (points, probabilities)
        Where the rows lie that it counts as.
    rows : float
        How many rows it counts as.
    """

    curve: Platt
    at: np.ndarray
    rows: float


_SIDES = {"alone": ("raw",), "beside_market": ("raw", "market"), "market": ("market",)}


def prior(name: str) -> Prior:
    """Return the prior "alone" (on the number's raw probability), "beside_market" (on that and the market's) or "market"."""
    constants = parameters()["calibration"]
    at = np.array(list(product(*(constants[f"{side}_at"] for side in _SIDES[name]))))
    return Prior(Platt(tuple(constants[name])), at, constants["prior_rows"])


def platt(probability: np.ndarray, happened: np.ndarray, before: Prior) -> Platt:
    """Fit Platt scaling of one or more probabilities, shape (rows,) or (rows, probabilities), on what happened, drawn towards a prior.

    Notes
    -----
    The prior is rows at fixed places, each weighed by what it says (Bedrick, Christensen and Johnson, A new perspective on priors for generalized
    linear models, JASA 91, 1996): where seen rows say nothing of a slope, as at one price, the prior's stands. Overs come in waves, a month of
    .42 and one of .49, so a month's rows say less about the next month than their number; without a prior the first months of prices misled.
    """
    from sklearn.linear_model import LogisticRegression

    points, believed = _logit(before.at), before.curve(before.at)
    seen = _logit(probability.reshape(len(probability), points.shape[1]))
    weight = before.rows / len(points)
    model = LogisticRegression(C=1e6, solver="newton-cholesky", tol=1e-8).fit(
        np.vstack([seen, points, points]),
        np.concatenate([happened, np.ones(len(points)), np.zeros(len(points))]),
        sample_weight=np.concatenate([np.ones(len(seen)), weight * believed, weight * (1 - believed)]),
    )
    return Platt((float(model.intercept_[0]), *map(float, model.coef_[0])))


@dataclass(frozen=True)
class Calibration:
    """Fitted distribution of one system.

    Attributes
    ----------
    edges : list of float
        Predicted points at which a band of predicted level ends and the next one begins, ascending.
    spread : (float, float)
        σ(m) = a + b·√m, through the standard deviations of the bands.
    quantiles : list of list of float
        For each band, the quantiles of residual / σ at `GRID`.
    platt : (float, float)
        Intercept and slope on the logit of the raw probability of the over.
    market : (float, float, float)
        Intercept and slopes on the logits of the raw and of the market's probability.
    with_line : (float, float) or None
        Points beyond the line = intercept + slope × (number − line); None where too few lines were seen.
    """

    edges: list[float]
    spread: tuple[float, float]
    quantiles: list[list[float]]
    platt: tuple[float, ...] = field(default_factory=lambda: prior("alone").curve.coefficients)
    market: tuple[float, ...] = field(default_factory=lambda: prior("beside_market").curve.coefficients)
    with_line: tuple[float, ...] | None = None

    @classmethod
    def fit(cls, number: np.ndarray, actual: np.ndarray, line: np.ndarray, market: np.ndarray) -> "Calibration":
        """Fit on out-of-fold predictions of earlier dates.

        Parameters
        ----------
        number, actual, line, market : ndarray, shape (rows,)
            Predicted points, points scored, line, and the market's vig-free probability of the over; NaN where there is none.
        """
        known = ~np.isnan(number)
        number, actual, line, market = number[known], actual[known], line[known], market[known]
        order = np.argsort(number, kind="stable")
        parts = np.array_split(order, BANDS)
        centres = np.array([number[part].mean() for part in parts])
        deviations = np.array([(actual - number)[part].std() for part in parts])
        a, b = np.linalg.lstsq(np.column_stack([np.ones(BANDS), np.sqrt(centres)]), deviations, rcond=None)[0]
        sigma = np.maximum(a + b * np.sqrt(np.maximum(number, 0)), 0.5)
        scaled = (actual - number) / sigma
        quantiles = [np.quantile(scaled[part], GRID).tolist() for part in parts]
        edges = [float(number[part].max()) for part in parts[:-1]]
        raw = cls(edges, (float(a), float(b)), quantiles)
        return raw._with_lines(number, actual, line, market)

    def _with_lines(self, number: np.ndarray, actual: np.ndarray, line: np.ndarray, market: np.ndarray) -> "Calibration":
        lined = ~np.isnan(line)
        number, actual, line, market = number[lined], actual[lined], line[lined], market[lined]
        decided = actual != line
        priced = decided & ~np.isnan(market)
        raw, over = self.raw_over(number, line), actual > line
        beside = np.column_stack([raw, market])
        enough = lined.sum() >= LEAST_LINED_ROWS
        with_line = tuple(np.polyfit(number - line, actual - line, 1)[::-1].tolist()) if enough else None
        return replace(
            self,
            platt=platt(raw[decided], over[decided], prior("alone")).coefficients,
            market=platt(beside[priced], over[priced], prior("beside_market")).coefficients,
            with_line=with_line,
        )

    def sigma(self, number: np.ndarray) -> np.ndarray:
        """Return the standard deviation, in points, of the outcome around each number."""
        return np.maximum(self.spread[0] + self.spread[1] * np.sqrt(np.maximum(number, 0)), 0.5)

    def quantile(self, number: np.ndarray, probability: float) -> np.ndarray:
        """Return a predictive quantile in points, not below 0; NaN where the number is NaN."""
        scaled = np.array([np.interp(probability, GRID, band) for band in self.quantiles])[self._band(number)]
        return np.where(np.isnan(number), np.nan, np.maximum(number + self.sigma(number) * scaled, 0))

    def crps(self, number: np.ndarray, actual: np.ndarray) -> np.ndarray:
        """Return the continuous ranked probability score of each row, in points: how far the whole distribution lies from what happened.

        Smaller is better; of a number without a distribution it would be the absolute error. NaN where the number is NaN.

        Notes
        -----
        Twice the mean pinball loss of the quantiles at `GRID`, the midpoints of 200 equal parts of (0, 1): CRPS(F, y) = 2 ∫ ρ_τ(y − F⁻¹(τ)) dτ
        (Gneiting and Ranjan, Comparing density forecasts using threshold- and quantile-weighted scoring rules, JBES 29, 2011).
        """
        quantiles = np.maximum(number[:, None] + self.sigma(number)[:, None] * np.array(self.quantiles)[self._band(number)], 0)
        over = actual[:, None] - quantiles
        return 2 * np.maximum(GRID * over, (GRID - 1) * over).mean(axis=1)

    def _band(self, number: np.ndarray) -> np.ndarray:
        # Steps, not a curve through the bands: near 0 points outcomes pile up, and only a band's own quantile leaves out a tenth of them.
        return np.searchsorted(self.edges, np.nan_to_num(number))

    def raw_over(self, number: np.ndarray, line: np.ndarray) -> np.ndarray:
        """Return P(points > line) given that they differ from it, by the empirical distribution alone; NaN without a line."""
        above, equal = self._above(number, line), np.zeros(len(line))
        whole = line == np.floor(line)
        if whole.any():
            equal[whole] = (self._above(number, line - 0.5) - self._above(number, line + 0.5))[whole]
            above = np.where(whole, self._above(number, line + 0.5), above)
        with np.errstate(invalid="ignore"):
            return np.clip(above / np.maximum(1 - equal, 1e-6), 0.001, 0.999)

    def _above(self, number: np.ndarray, level: np.ndarray) -> np.ndarray:
        scaled = (level - number) / self.sigma(number)
        by_band = np.array([1 - np.interp(scaled, band, GRID, left=0.0, right=1.0) for band in self.quantiles])
        return by_band[self._band(number), np.arange(len(number))]

    def over(self, number: np.ndarray, line: np.ndarray, market: np.ndarray) -> np.ndarray:
        """Return the calibrated probability that points end above the line, pushes excluded; NaN without a number or a line.

        Where `market`, the vig-free probability of real prices, is known, both are weighed; else the number alone speaks.
        """
        raw = self.raw_over(number, line)
        both = Platt(self.market)(np.column_stack([raw, market]))
        calibrated = np.where(np.isnan(both), Platt(self.platt)(raw), both)
        return np.where(np.isnan(number) | np.isnan(line), np.nan, calibrated)

    def beyond_line(self, number: np.ndarray, line: np.ndarray) -> np.ndarray:
        """Return the number of the same system once it is allowed to see the line; NaN without one."""
        if self.with_line is None:
            return np.full(len(number), np.nan)
        intercept, slope = self.with_line
        return np.maximum(line + intercept + slope * (number - line), 0)


def _logit(probability: np.ndarray) -> np.ndarray:
    return np.log(probability) - np.log1p(-probability)
