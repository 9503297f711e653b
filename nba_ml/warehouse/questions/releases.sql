-- question: What was released when, and who decided it?
-- asked by: on call
-- reading: The last 20 entries of the release logs. What runs now is what all entries of an environment add up to: `nba-ml release show` says it. Which version predicted a row is in the row itself: see version_of_a_pick.
-- column environment: dev, staging or production.
-- column number: Number of the entry.
-- column action: shadow, release, advance, rollback, retire, reject, pin, unpin or promote.
-- column version: Model version that the entry is about.
-- column previous_version: Model version that loses rows to it.
-- column state: What the version is after the entry, as in shadow, 10 % or 100 %.
-- column share: Share of a slate's rows that the version predicts after the entry, 0 to 1.
-- column trained_until: Last game date that the version was trained on.
-- column actor: Who made the entry.
-- column reason: Why.
-- column made_at: When the entry was made.
-- column next_at: When the next entry of the environment was made; null for the last one.
SELECT
  entries.environment,
  entries.number,
  entries.action,
  entries.version,
  entries.previous_version,
  entries.state,
  entries.share,
  versions.trained_until,
  entries.actor,
  entries.reason,
  entries.created_at AS made_at,
  LEAD(entries.created_at) OVER (PARTITION BY entries.name, entries.environment ORDER BY entries.number) AS next_at
FROM nba_ops.release_events AS entries
LEFT JOIN nba_ops.model_registry AS versions
  ON entries.name = versions.name
  AND entries.version = versions.version
ORDER BY entries.created_at DESC, entries.environment, entries.number DESC
LIMIT 20
