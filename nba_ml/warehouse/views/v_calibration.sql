-- description: Whether probabilities keep their word: p_over in ten bins of equal width against the share of results above the line. Pushes and voids are out.
-- grain: one row per system, mode, in_sample and bin of p_over that holds a result
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column in_sample: Whether the model was trained on the results that it is compared with; then a small error proves nothing. Null where that is unknown.
-- column bin: Number of the bin, 0 to 9.
-- column bin_from: Lower end of the bin, included.
-- column bin_to: Upper end of the bin; included in the last bin only.
-- column predictions: Results in the bin.
-- column mean_p_over: Mean probability of the over in the bin, 0 to 1.
-- column observed_over: Share of the bin's results above the line, 0 to 1.
WITH results AS (
  SELECT
    system_id,
    mode,
    in_sample,
    p_over,
    LEAST(CAST(FLOOR(p_over * 10) AS INT64), 9) AS bin,
    CASE WHEN actual_points > line THEN 1 ELSE 0 END AS was_over
  FROM nba_predictions.v_graded_predictions
  WHERE p_over IS NOT NULL AND actual_points IS NOT NULL AND line IS NOT NULL AND actual_points <> line
)
SELECT
  system_id,
  mode,
  in_sample,
  bin,
  bin / 10 AS bin_from,
  (bin + 1) / 10 AS bin_to,
  COUNT(*) AS predictions,
  AVG(p_over) AS mean_p_over,
  AVG(was_over) AS observed_over
FROM results
GROUP BY system_id, mode, in_sample, bin
