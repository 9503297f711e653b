-- question: Which model version scored this pick, and who released it?
-- asked by: analysts
-- reading: Without a change it answers for the largest edge of the last slate. To ask about another pick, write its slate date and player into the query `asked`, as in SELECT DATE '2026-11-24' AS slate_date, 1001 AS player_id. The version's own page is report.html in the folder url.
-- column slate_date: Date of the games in America/New_York.
-- column player_name: Player's name.
-- column predicted_points: The consensus number of points.
-- column model_version: Released model version that the row is published from.
-- column trained_until: Last game date that the version was trained on.
-- column training_rows: Rows of its training set.
-- column code_version: Package version and git commit that trained it.
-- column feature_version: Version of the feature definitions.
-- column passed: Whether all blocking gates passed.
-- column share: Share of the slate's rows that the version predicted, 0 to 1.
-- column environment: Environment whose release log put it in force.
-- column release_number: Last entry about this version before the run.
-- column action: What that entry did, as in release or advance.
-- column released_by: Who made it.
-- column reason: Why.
-- column released_at: When.
-- column url: Folder of the version in the object store.
WITH asked AS (
  SELECT slate_date, player_id
  FROM nba_predictions.v_latest_predictions
  ORDER BY slate_date DESC, ABS(edge) DESC NULLS LAST, player_id
  LIMIT 1
),
found AS (
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
    picks.share,
    releases.environment,
    releases.number AS release_number,
    releases.action,
    releases.actor AS released_by,
    releases.reason,
    releases.created_at AS released_at,
    versions.url,
    RANK() OVER (PARTITION BY picks.game_id, releases.environment ORDER BY releases.number DESC) AS place
  FROM nba_predictions.v_latest_predictions AS picks
  INNER JOIN asked
    ON picks.slate_date = asked.slate_date
    AND picks.player_id = asked.player_id
  LEFT JOIN nba_ops.model_registry AS versions
    ON picks.model_version = versions.version
  LEFT JOIN nba_ops.release_events AS releases
    ON versions.name = releases.name
    AND picks.model_version = releases.version
    AND picks.release_number >= releases.number
)
SELECT
  slate_date,
  player_name,
  predicted_points,
  model_version,
  trained_until,
  training_rows,
  code_version,
  feature_version,
  passed,
  share,
  environment,
  release_number,
  action,
  released_by,
  reason,
  released_at,
  url
FROM found
WHERE place = 1
ORDER BY environment
