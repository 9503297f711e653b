-- question: Are our numbers closer to the result than the line is?
-- asked by: analysts
-- reading: Both errors are over the same rows: those with a number, a line and a result. difference below 0 is in our favour, and counts once its whole 95 % interval is below 0. The interval takes all rows of a slate as one observation, for they are alike. Replays of slates that the model was trained on are out.
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column slates: Slates behind the figures.
-- column lined: Rows behind the figures.
-- column lined_mae: The system's mean absolute error in points.
-- column line_mae: The line's mean absolute error in points.
-- column difference: lined_mae minus line_mae.
-- column low: Lower end of the 95 % interval of the difference; null with one slate.
-- column high: Upper end of the 95 % interval of the difference; null with one slate.
WITH by_slate AS (
  SELECT
    system_id,
    mode,
    slate_date,
    COUNT(*) AS lined,
    SUM(absolute_error) AS own,
    SUM(line_absolute_error) AS of_line
  FROM nba_predictions.v_graded_predictions
  WHERE error IS NOT NULL AND line IS NOT NULL AND NOT in_sample
  GROUP BY system_id, mode, slate_date
),
total AS (
  SELECT
    system_id,
    mode,
    COUNT(*) AS slates,
    CAST(SUM(lined) AS INT64) AS lined,
    SUM(own) / SUM(lined) AS lined_mae,
    SUM(of_line) / SUM(lined) AS line_mae
  FROM by_slate
  GROUP BY system_id, mode
),
spread AS (
  SELECT
    total.system_id,
    total.mode,
    SQRT(
      SUM(POWER(by_slate.own - by_slate.of_line - (total.lined_mae - total.line_mae) * by_slate.lined, 2))
      * MAX(total.slates) / NULLIF(MAX(total.slates) - 1, 0)
    ) / MAX(total.lined) AS standard_error
  FROM total
  INNER JOIN by_slate
    ON total.system_id = by_slate.system_id
    AND total.mode = by_slate.mode
  GROUP BY total.system_id, total.mode
)
SELECT
  total.system_id,
  total.mode,
  total.slates,
  total.lined,
  total.lined_mae,
  total.line_mae,
  total.lined_mae - total.line_mae AS difference,
  total.lined_mae - total.line_mae - 1.96 * spread.standard_error AS low,
  total.lined_mae - total.line_mae + 1.96 * spread.standard_error AS high
FROM total
INNER JOIN spread
  ON total.system_id = spread.system_id
  AND total.mode = spread.mode
ORDER BY total.mode, difference, total.system_id
