-- question: Which version was in force when, and who decided it?
-- asked by: on call
-- reading: The last 20 entries of the release logs; the highest number of an environment is in force. The log itself is in the object store: `nba-ml release show` reads it.
-- column environment: dev, staging or production.
-- column number: Number of the entry.
-- column action: What the entry does, as in release or rollback.
-- column version: Model version that the entry puts in force.
-- column previous_version: Model version that was in force before.
-- column trained_until: Last game date that the version was trained on.
-- column actor: Who made the entry.
-- column reason: Why.
-- column in_force_from: When the entry was made.
-- column in_force_until: When the next entry was made; null for the one in force.
SELECT
  entries.environment,
  entries.number,
  entries.action,
  entries.version,
  entries.previous_version,
  versions.trained_until,
  entries.actor,
  entries.reason,
  entries.created_at AS in_force_from,
  LEAD(entries.created_at) OVER (PARTITION BY entries.name, entries.environment ORDER BY entries.number) AS in_force_until
FROM nba_ops.release_events AS entries
LEFT JOIN nba_ops.model_registry AS versions
  ON entries.name = versions.name
  AND entries.version = versions.version
ORDER BY entries.created_at DESC, entries.environment, entries.number DESC
LIMIT 20
