-- description: Grades of every system's number in the picks in force: the latest revision of each, blocked picks included. Each row's own version counts; what other versions and shadows said is in prediction_accuracy.
-- grain: one row per slate date, game, player and system
-- column slate_date: Date of the games in America/New_York.
-- column game_id: The league's game id.
-- column player_id: The league's player id.
-- column player_name: Player's name.
-- column team: Tricode of the player's team.
-- column opponent: Tricode of the other team.
-- column system_id: System that made the prediction; ensemble is the published consensus.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column model_version: Model version that made the prediction.
-- column in_sample: Whether the model was trained on this slate's results, as in a replay of its own past: then a small error proves nothing. False for live; null where nba_ops.model_registry lacks the version.
-- column predicted_points: The number that is graded; null = abstained.
-- column q10: Predictive 10 % quantile of the system.
-- column q50: Predictive median of the system.
-- column q90: Predictive 90 % quantile of the system.
-- column p_over: The system's probability, 0 to 1, of points above the line, pushes excluded.
-- column line: Line that the prediction saw; null where there was none.
-- column line_kind: Kind of that line; an undated kind can't be shown to be from before tip-off.
-- column closing_line: Median over books of the last quotes before tip-off; null where none can be shown to be closing.
-- column edge: Predicted points minus line.
-- column side: over or under, of the line that the prediction saw.
-- column actual_points: Points scored; null = did not play.
-- column actual_minutes: Minutes played; null = did not play.
-- column error: Predicted minus actual points.
-- column absolute_error: Absolute value of the error.
-- column line_absolute_error: Absolute value of line minus actual points: the line's own error on the same row.
-- column outcome: win, loss, push (points equal the line), void (see void_reason), no_line or abstained.
-- column void_reason: Why an outcome is void: moved or postponed (the game), other_team (he was traded), ruled_out, did_not_play or not_in_box_score; null where it is not.
-- column outcome_at_close: The same against the closing line.
-- column closing_line_value: Points by which the closing line moved towards the prediction's side.
-- column blocked: Whether the published pick was blocked.
-- column reasons: Named reasons of the quality filter, separated by commas; null where there is none.
-- column quality_tier: Tier of the published pick: gold, silver, bronze or unusable.
-- column agreement: How many independent voices lay on the consensus number's side of the line.
-- column voices: How many independent voices gave a number.
-- column run_key: Run that made the prediction.
-- column prediction_id: id of the row in nba_predictions.system_predictions.
-- column revision: 0 for the first grade, higher after each correction of the result.
-- column graded_at: When the grade was first written.
WITH ranked AS (
  SELECT
    *,
    RANK() OVER (PARTITION BY slate_date, prediction_id ORDER BY revision DESC) AS place
  FROM nba_predictions.prediction_accuracy
),
versions AS (
  SELECT
    version,
    MAX(trained_until) AS trained_until
  FROM nba_ops.model_registry
  GROUP BY version
)
SELECT
  grades.slate_date,
  grades.game_id,
  grades.player_id,
  picks.player_name,
  picks.team,
  picks.opponent,
  grades.system_id,
  grades.mode,
  grades.model_version,
  CASE WHEN grades.mode = 'live' THEN FALSE ELSE grades.slate_date <= versions.trained_until END AS in_sample,
  grades.predicted_points,
  numbers.q10,
  numbers.q50,
  numbers.q90,
  numbers.p_over,
  grades.line,
  grades.line_kind,
  grades.closing_line,
  grades.predicted_points - grades.line AS edge,
  grades.side,
  grades.actual_points,
  grades.actual_minutes,
  grades.error,
  grades.absolute_error,
  ABS(grades.line - grades.actual_points) AS line_absolute_error,
  grades.outcome,
  grades.void_reason,
  grades.outcome_at_close,
  grades.closing_line_value,
  grades.blocked,
  picks.reasons,
  picks.quality_tier,
  picks.agreement,
  picks.voices,
  grades.run_key,
  grades.prediction_id,
  grades.revision,
  grades.graded_at
FROM ranked AS grades
INNER JOIN nba_predictions.v_latest_predictions AS picks
  ON grades.slate_date = picks.slate_date
  AND grades.run_key = picks.run_key
  AND grades.game_id = picks.game_id
  AND grades.player_id = picks.player_id
  AND grades.model_version = picks.model_version
LEFT JOIN nba_predictions.system_predictions AS numbers
  ON grades.slate_date = numbers.slate_date
  AND grades.prediction_id = numbers.id
LEFT JOIN versions
  ON grades.model_version = versions.version
WHERE grades.place = 1
