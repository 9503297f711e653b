-- description: How far each system's numbers were off, over all graded slates, beside the line's own error on the same rows. Live and replay are apart, and so are replays of slates that the model was trained on; blocked picks are in.
-- grain: one row per system, mode and in_sample
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column in_sample: Whether the model was trained on the results that it is compared with; then a small error proves nothing. Null where that is unknown.
-- column slates: Slates with at least one graded number.
-- column graded: Numbers with a result; the rows behind mae, rmse and mean_error.
-- column mae: Mean absolute error in points over all graded rows.
-- column rmse: Root of the mean squared error in points over all graded rows.
-- column mean_error: Mean of predicted minus actual points over all graded rows.
-- column lined: Graded rows with a line; the rows behind lined_mae and line_mae.
-- column lined_mae: The system's mean absolute error on rows with a line.
-- column line_mae: The line's own mean absolute error on the same rows as lined_mae.
-- column wins: Picks on the right side of the line.
-- column losses: Picks on the wrong side of the line.
-- column hit_rate: Wins divided by wins plus losses, 0 to 1; to tell 54 % from break-even takes about 3,700 picks.
-- column pushes: Results equal to the line.
-- column voids: Numbers for players who did not play.
SELECT
  system_id,
  mode,
  in_sample,
  COUNT(DISTINCT CASE WHEN error IS NOT NULL THEN slate_date END) AS slates,
  COUNT(error) AS graded,
  AVG(absolute_error) AS mae,
  SQRT(AVG(error * error)) AS rmse,
  AVG(error) AS mean_error,
  COUNT(CASE WHEN error IS NOT NULL THEN line END) AS lined,
  AVG(CASE WHEN line IS NOT NULL THEN absolute_error END) AS lined_mae,
  AVG(CASE WHEN error IS NOT NULL THEN line_absolute_error END) AS line_mae,
  COUNT(CASE WHEN outcome = 'win' THEN 1 END) AS wins,
  COUNT(CASE WHEN outcome = 'loss' THEN 1 END) AS losses,
  COUNT(CASE WHEN outcome = 'win' THEN 1 END) / NULLIF(COUNT(CASE WHEN outcome IN ('win', 'loss') THEN 1 END), 0) AS hit_rate,
  COUNT(CASE WHEN outcome = 'push' THEN 1 END) AS pushes,
  COUNT(CASE WHEN outcome = 'void' THEN 1 END) AS voids
FROM nba_predictions.v_graded_predictions
GROUP BY system_id, mode, in_sample
