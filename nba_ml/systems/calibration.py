"""What a number means: its predictive distribution, the probability of the over, and what it becomes once a line is seen.

All of it is learned from out-of-fold predictions of earlier dates.
"""

from dataclasses import asdict, dataclass

import numpy as np

BANDS = 12
GRID = np.linspace(0.0025, 0.9975, 200)
"""Probabilities at which the standardised residuals of each band are kept."""

LEAST_LINED_ROWS = 1_000
"""Rows with a line below which nothing is learned about lines: the raw probability stands, and no number is given with the line."""


@dataclass(frozen=True)
class Platt:
    """Platt scaling: a logistic curve over the logit of a probability (Platt, 1999). `coefficients`: intercept and slope."""

    coefficients: tuple[float, float]

    def __call__(self, probability: np.ndarray) -> np.ndarray:
        """Return the recalibrated probability; NaN stays NaN."""
        return 1 / (1 + np.exp(-(self.coefficients[0] + self.coefficients[1] * _logit(probability))))


def platt(probability: np.ndarray, happened: np.ndarray) -> Platt:
    """Fit Platt scaling of a probability on what happened."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(_logit(probability)[:, None], happened)
    return Platt((float(model.intercept_[0]), float(model.coef_[0, 0])))


@dataclass(frozen=True)
class Calibration:
    """Fitted distribution of one system.

    Attributes
    ----------
    centres : list of float
        Mean predicted points of each band of predicted level, ascending.
    spread : (float, float)
        σ(m) = a + b·√m, through the standard deviations of the bands.
    quantiles : list of list of float
        For each band, the quantiles of residual / σ at `GRID`.
    platt : (float, float)
        Intercept and slope on the logit of the raw probability of the over.
    with_line : (float, float) or None
        Points beyond the line = intercept + slope × (number − line); None where too few lines were seen.
    """

    centres: list[float]
    spread: tuple[float, float]
    quantiles: list[list[float]]
    platt: tuple[float, float] = (0.0, 1.0)
    with_line: tuple[float, float] | None = None

    @classmethod
    def fit(cls, number: np.ndarray, actual: np.ndarray, line: np.ndarray) -> "Calibration":
        """Fit on out-of-fold predictions of earlier dates.

        Parameters
        ----------
        number, actual, line : ndarray, shape (rows,)
            Predicted points, points scored, and line; NaN where there is none.
        """
        known = ~np.isnan(number)
        number, actual, line = number[known], actual[known], line[known]
        order = np.argsort(number, kind="stable")
        parts = np.array_split(order, BANDS)
        centres = np.maximum.accumulate([number[part].mean() for part in parts])
        deviations = np.array([(actual - number)[part].std() for part in parts])
        a, b = np.linalg.lstsq(np.column_stack([np.ones(BANDS), np.sqrt(centres)]), deviations, rcond=None)[0]
        sigma = np.maximum(a + b * np.sqrt(np.maximum(number, 0)), 0.5)
        scaled = (actual - number) / sigma
        quantiles = [np.quantile(scaled[part], GRID).tolist() for part in parts]
        raw = cls(centres.tolist(), (float(a), float(b)), quantiles)
        return raw._with_lines(number, actual, line)

    def _with_lines(self, number: np.ndarray, actual: np.ndarray, line: np.ndarray) -> "Calibration":
        lined = ~np.isnan(line)
        if lined.sum() < LEAST_LINED_ROWS:
            return self
        number, actual, line = number[lined], actual[lined], line[lined]
        slope, intercept = np.polyfit(number - line, actual - line, 1)
        decided = actual != line
        fitted = asdict(self) | {
            "platt": platt(self.raw_over(number, line)[decided], actual[decided] > line[decided]).coefficients,
            "with_line": (float(intercept), float(slope)),
        }
        return Calibration(**fitted)

    def sigma(self, number: np.ndarray) -> np.ndarray:
        """Return the standard deviation, in points, of the outcome around each number."""
        return np.maximum(self.spread[0] + self.spread[1] * np.sqrt(np.maximum(number, 0)), 0.5)

    def quantile(self, number: np.ndarray, probability: float) -> np.ndarray:
        """Return a predictive quantile in points, not below 0; NaN where the number is NaN."""
        at_band = np.array([np.interp(probability, GRID, band) for band in self.quantiles])
        scaled = np.interp(number, self.centres, at_band)
        return np.where(np.isnan(number), np.nan, np.maximum(number + self.sigma(number) * scaled, 0))

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
        centres = np.array(self.centres)
        upper = np.clip(np.searchsorted(centres, number), 1, len(centres) - 1)
        width = centres[upper] - centres[upper - 1]
        share = np.clip((number - centres[upper - 1]) / np.where(width > 0, width, 1), 0, 1)
        rows = np.arange(len(number))
        return (1 - share) * by_band[upper - 1, rows] + share * by_band[upper, rows]

    def over(self, number: np.ndarray, line: np.ndarray) -> np.ndarray:
        """Return the calibrated probability that points end above the line, pushes excluded; NaN without a number or a line."""
        return np.where(np.isnan(number) | np.isnan(line), np.nan, Platt(self.platt)(self.raw_over(number, line)))

    def beyond_line(self, number: np.ndarray, line: np.ndarray) -> np.ndarray:
        """Return the number of the same system once it is allowed to see the line; NaN without one."""
        if self.with_line is None:
            return np.full(len(number), np.nan)
        intercept, slope = self.with_line
        return np.maximum(line + intercept + slope * (number - line), 0)


def _logit(probability: np.ndarray) -> np.ndarray:
    return np.log(probability) - np.log1p(-probability)
