-- question: Is a version as good as its backtest promised?
-- asked by: analysts
-- reading: Compare the gaps to the line, not the errors: a hard week raises our error and the line's alike. A gap above the backtest's by more than chance (see error_against_the_line for intervals) is a reason to look at drift. Replays of slates that the version was trained on are out.
-- column model_version: Model version.
-- column system_id: System; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column graded: Graded numbers since its release.
-- column mae: Their mean absolute error in points.
-- column lined: Graded numbers with a line.
-- column gap: Their mean absolute error minus the line's on the same rows.
-- column backtest_mae: Mean absolute error in the version's backtest.
-- column backtest_gap: The backtest's gap to the line, on its own lined rows.
WITH served AS (
  SELECT
    model_version,
    system_id,
    mode,
    COUNT(error) AS graded,
    AVG(absolute_error) AS mae,
    COUNT(CASE WHEN error IS NOT NULL THEN line END) AS lined,
    AVG(absolute_error - line_absolute_error) AS gap
  FROM nba_predictions.v_graded_predictions
  WHERE NOT in_sample
  GROUP BY model_version, system_id, mode
)
SELECT
  served.model_version,
  served.system_id,
  served.mode,
  served.graded,
  served.mae,
  served.lined,
  served.gap,
  tested.mae AS backtest_mae,
  tested.lined_mae - tested.line_mae AS backtest_gap
FROM served
LEFT JOIN nba_predictions.v_backtest_leaderboard AS tested
  ON served.model_version = tested.model_version
  AND served.system_id = tested.system_id
ORDER BY served.model_version DESC, served.mode, served.mae, served.system_id
