-- question: How did this pick change over the day, and what was published when?
-- asked by: analysts
-- reading: Without a change it answers for the pick of the last slate that was published most often. To ask about another pick, write its slate date and player into the query `asked`, as in SELECT DATE '2026-11-24' AS slate_date, 1001 AS player_id. The row in force is the one that is graded first.
-- column player_name: Player's name.
-- column published_at: When the run was first published.
-- column before_tipoff: Whether that was before the game's scheduled tip-off.
-- column mode: live or replay.
-- column run_number: Place among the runs of that mode; 1 is the first.
-- column in_force: Whether this is the pick that counts.
-- column model_version: Released model version that scored the slate.
-- column predicted_points: The consensus number of points; null = abstained.
-- column predicted_points_change: Change since the pick before.
-- column line: Line that the prediction saw; null where there was none.
-- column line_change: Change since the pick before.
-- column p_over: Calibrated probability, 0 to 1, of points above the line.
-- column blocked: Whether a reason blocks the pick from use.
-- column reasons: Named reasons of the quality filter, separated by commas.
WITH asked AS (
  SELECT slate_date, player_id
  FROM nba_predictions.v_pick_history
  ORDER BY slate_date DESC, run_number DESC, line DESC NULLS LAST, player_id
  LIMIT 1
)
SELECT
  history.player_name,
  history.published_at,
  history.before_tipoff,
  history.mode,
  history.run_number,
  history.in_force,
  history.model_version,
  history.predicted_points,
  history.predicted_points_change,
  history.line,
  history.line_change,
  history.p_over,
  history.blocked,
  history.reasons
FROM nba_predictions.v_pick_history AS history
INNER JOIN asked
  ON history.slate_date = asked.slate_date
  AND history.player_id = asked.player_id
ORDER BY history.published_at, history.run_key
