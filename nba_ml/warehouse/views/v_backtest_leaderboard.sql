-- description: How far each system's numbers were off in the walk-forward backtest of a model version, beside the line's own error on the same rows: what live grades are to be compared with.
-- grain: one row per model version and system
-- column model_version: Model version whose backtest this is.
-- column system_id: System, or a baseline (ewma_hl8, last_10).
-- column first_slate: First date of the backtest with a number.
-- column last_slate: Last date of the backtest with a number.
-- column slates: Dates with at least one number.
-- column graded: Numbers; every row of a backtest has a result.
-- column mae: Mean absolute error in points over all rows with a number.
-- column rmse: Root of the mean squared error in points over the same rows.
-- column mean_error: Mean of predicted minus actual points over the same rows.
-- column within_80: Share of results between q10 and q90, 0 to 1, where the system gives quantiles; 0.8 is what it promises.
-- column lined: Rows with a number and a line; the rows behind lined_mae and line_mae.
-- column lined_mae: The system's mean absolute error on rows with a line.
-- column line_mae: The line's own mean absolute error on the same rows as lined_mae.
-- column wins: Numbers on the right side of the line.
-- column losses: Numbers on the wrong side of the line.
-- column hit_rate: Wins divided by wins plus losses, 0 to 1.
-- column pushes: Results equal to the line, where the number lies on a side of it.
WITH rated AS (
  SELECT
    *,
    predicted_points - actual_points AS error,
    CASE
      WHEN predicted_points = line THEN NULL
      WHEN actual_points = line THEN 'push'
      WHEN (predicted_points > line) = (actual_points > line) THEN 'win'
      WHEN line IS NOT NULL THEN 'loss'
    END AS outcome
  FROM nba_predictions.backtest_predictions
  WHERE predicted_points IS NOT NULL
)
SELECT
  model_version,
  system_id,
  MIN(slate_date) AS first_slate,
  MAX(slate_date) AS last_slate,
  COUNT(DISTINCT slate_date) AS slates,
  COUNT(*) AS graded,
  AVG(ABS(error)) AS mae,
  SQRT(AVG(error * error)) AS rmse,
  AVG(error) AS mean_error,
  AVG(CASE WHEN q10 IS NULL OR q90 IS NULL THEN NULL WHEN actual_points BETWEEN q10 AND q90 THEN 1 ELSE 0 END) AS within_80,
  COUNT(line) AS lined,
  AVG(CASE WHEN line IS NOT NULL THEN ABS(error) END) AS lined_mae,
  AVG(ABS(line - actual_points)) AS line_mae,
  COUNT(CASE WHEN outcome = 'win' THEN 1 END) AS wins,
  COUNT(CASE WHEN outcome = 'loss' THEN 1 END) AS losses,
  COUNT(CASE WHEN outcome = 'win' THEN 1 END) / NULLIF(COUNT(CASE WHEN outcome IN ('win', 'loss') THEN 1 END), 0) AS hit_rate,
  COUNT(CASE WHEN outcome = 'push' THEN 1 END) AS pushes
FROM rated
GROUP BY model_version, system_id
