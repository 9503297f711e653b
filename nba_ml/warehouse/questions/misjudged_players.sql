-- question: Which players are predicted too high or too low?
-- asked by: analysts
-- reading: Players whose mean error is furthest from 0 in units of its standard error, over graded numbers of the consensus, at least five each. Among hundreds of players a few are beyond ±3 by luck alone. Replays of slates that the model was trained on are out.
-- column player_id: The league's player id.
-- column player_name: Player's name.
-- column graded: Numbers with a result.
-- column mean_error: Mean of predicted minus actual points; above 0 is predicted too high.
-- column mae: Mean absolute error in points.
-- column standard_errors: Mean error divided by its standard error.
SELECT
  player_id,
  MAX(player_name) AS player_name,
  COUNT(*) AS graded,
  AVG(error) AS mean_error,
  AVG(absolute_error) AS mae,
  AVG(error) / NULLIF(STDDEV_SAMP(error) / SQRT(COUNT(*)), 0) AS standard_errors
FROM nba_predictions.v_graded_predictions
WHERE system_id = 'ensemble' AND error IS NOT NULL AND NOT in_sample
GROUP BY player_id
HAVING COUNT(*) >= 5
ORDER BY ABS(AVG(error) / NULLIF(STDDEV_SAMP(error) / SQRT(COUNT(*)), 0)) DESC NULLS LAST, player_id
LIMIT 20
