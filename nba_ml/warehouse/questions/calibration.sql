-- question: Do probabilities keep their word?
-- asked by: analysts
-- reading: In each bin observed_over should be near mean_p_over: deviations beyond ±2 in one bin of ten are luck, in several they are not. Pushes, voids, and replays of slates that the model was trained on are out.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column bin_from: Lower end of the bin of p_over, included.
-- column bin_to: Upper end of the bin; included in the last bin only.
-- column predictions: Results in the bin.
-- column mean_p_over: Mean probability of the over in the bin, 0 to 1.
-- column observed_over: Share of the bin's results above the line, 0 to 1.
-- column deviations: Observed minus promised share, in standard deviations of a share so many results have by luck.
SELECT
  mode,
  bin_from,
  bin_to,
  predictions,
  mean_p_over,
  observed_over,
  (observed_over - mean_p_over) / NULLIF(SQRT(mean_p_over * (1 - mean_p_over) / predictions), 0) AS deviations
FROM nba_predictions.v_calibration
WHERE system_id = 'ensemble' AND NOT in_sample
ORDER BY mode, bin_from
