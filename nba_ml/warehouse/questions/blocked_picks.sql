-- question: Were blocked picks rightly blocked?
-- asked by: analysts
-- reading: Blocked picks are graded too. A reason earns its place where mae is clearly above that of the row without a reason. Picks with several reasons are a group of their own; a named reason may also only warn. Replays of slates that the model was trained on are out.
-- column blocked: Whether the picks were blocked.
-- column reasons: Named reasons, separated by commas; null for picks without one.
-- column picks: Picks of the consensus that are graded, those for players who did not play included.
-- column voids: Picks for players who did not play.
-- column graded: Numbers with a result.
-- column mae: Mean absolute error in points over these.
-- column wins: Picks on the right side of the line.
-- column losses: Picks on the wrong side of the line.
SELECT
  blocked,
  reasons,
  COUNT(*) AS picks,
  COUNT(CASE WHEN outcome = 'void' THEN 1 END) AS voids,
  COUNT(error) AS graded,
  AVG(absolute_error) AS mae,
  COUNT(CASE WHEN outcome = 'win' THEN 1 END) AS wins,
  COUNT(CASE WHEN outcome = 'loss' THEN 1 END) AS losses
FROM nba_predictions.v_graded_predictions
WHERE system_id = 'ensemble' AND NOT in_sample
GROUP BY blocked, reasons
ORDER BY picks DESC, reasons NULLS FIRST
