-- description: Each day's error of every system under each model version, beside the line's own error on the same rows.
-- grain: one row per slate date, model version, system and mode
-- column slate_date: Date of the games in America/New_York.
-- column model_version: Released model version that the rows are published from.
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column in_sample: Whether the model was trained on the results that it is compared with; then a small error proves nothing. Null where that is unknown.
-- column graded: Numbers with a result; the rows behind mae and mean_error.
-- column mae: Mean absolute error in points over all graded rows.
-- column mean_error: Mean of predicted minus actual points over all graded rows.
-- column lined: Graded rows with a line; the rows behind lined_mae and line_mae.
-- column lined_mae: The system's mean absolute error on rows with a line.
-- column line_mae: The line's own mean absolute error on the same rows as lined_mae.
SELECT
  slate_date,
  model_version,
  system_id,
  mode,
  in_sample,
  COUNT(error) AS graded,
  AVG(absolute_error) AS mae,
  AVG(error) AS mean_error,
  COUNT(CASE WHEN error IS NOT NULL THEN line END) AS lined,
  AVG(CASE WHEN line IS NOT NULL THEN absolute_error END) AS lined_mae,
  AVG(CASE WHEN error IS NOT NULL THEN line_absolute_error END) AS line_mae
FROM nba_predictions.v_graded_predictions
GROUP BY slate_date, model_version, system_id, mode, in_sample
