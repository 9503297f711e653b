-- question: Which model version scored this pick, and who released it?
-- asked by: analysts
-- reading: Without a change it answers for the largest edge of the last slate. To ask about another pick, write its slate date and player into the query `asked`, as in SELECT DATE '2026-11-24' AS slate_date, 1001 AS player_id. The version's own page is report.html in the folder url.
-- column slate_date: Date of the games in America/New_York.
-- column player_name: Player's name.
-- column predicted_points: The consensus number of points.
-- column model_version: Released model version that scored the slate.
-- column trained_until: Last game date that the version was trained on.
-- column training_rows: Rows of its training set.
-- column code_version: Package version and git commit that trained it.
-- column feature_version: Version of the feature definitions.
-- column passed: Whether all blocking gates passed.
-- column environment: Environment whose release log put it in force.
-- column release_number: Entry of that log.
-- column released_by: Who made the entry.
-- column reason: Why.
-- column released_at: When.
-- column url: Folder of the version in the object store.
WITH asked AS (
  SELECT slate_date, player_id
  FROM nba_predictions.v_latest_predictions
  ORDER BY slate_date DESC, ABS(edge) DESC NULLS LAST, player_id
  LIMIT 1
)
SELECT
  picks.slate_date,
  picks.player_name,
  picks.predicted_points,
  picks.model_version,
  versions.trained_until,
  versions.rows AS training_rows,
  versions.code_version,
  picks.feature_version,
  versions.passed,
  releases.environment,
  picks.release_number,
  releases.actor AS released_by,
  releases.reason,
  releases.created_at AS released_at,
  versions.url
FROM nba_predictions.v_latest_predictions AS picks
INNER JOIN asked
  ON picks.slate_date = asked.slate_date
  AND picks.player_id = asked.player_id
LEFT JOIN nba_ops.model_registry AS versions
  ON picks.model_version = versions.version
LEFT JOIN nba_ops.release_events AS releases
  ON versions.name = releases.name
  AND picks.model_version = releases.version
  AND picks.release_number = releases.number
ORDER BY releases.environment
