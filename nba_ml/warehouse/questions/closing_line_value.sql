-- question: Do lines move towards our picks before tip-off?
-- asked by: analysts
-- reading: The earliest sign of skill that there is: a mean above 0 says that the market came to agree. Only picks whose closing line can be shown to be closing count; where the prediction saw the closing line itself, the value is 0 by nature. Replays of slates that the model was trained on are out.
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column picks: Picks with a line and a closing line.
-- column mean_points: Mean points by which the closing line moved towards the pick's side.
-- column towards: Picks whose line moved towards their side.
-- column away: Picks whose line moved away from it.
-- column unmoved: Picks whose line did not move.
-- column hit_rate_at_close: Wins among decided picks against the closing line, 0 to 1.
SELECT
  system_id,
  mode,
  COUNT(*) AS picks,
  AVG(closing_line_value) AS mean_points,
  COUNT(CASE WHEN closing_line_value > 0 THEN 1 END) AS towards,
  COUNT(CASE WHEN closing_line_value < 0 THEN 1 END) AS away,
  COUNT(CASE WHEN closing_line_value = 0 THEN 1 END) AS unmoved,
  COUNT(CASE WHEN outcome_at_close = 'win' THEN 1 END)
  / NULLIF(COUNT(CASE WHEN outcome_at_close IN ('win', 'loss') THEN 1 END), 0) AS hit_rate_at_close
FROM nba_predictions.v_graded_predictions
WHERE closing_line_value IS NOT NULL AND NOT in_sample
GROUP BY system_id, mode
ORDER BY mode, mean_points DESC, system_id
