-- question: Which data rules failed lately?
-- asked by: on call
-- reading: Rules that did not hold in the last run of each suite, the worst first: stop blocks the step, quarantine kept rows out, warn is for reading. docs_url is the page with all figures. No row is good news.
-- column suite: Suite of expectations: file name in expectations/ without its ending.
-- column rule: Rule that failed.
-- column severity: stop, quarantine or warn.
-- column failed_rows: Rows that broke the rule; null for rules on whole tables.
-- column looked_at: Rows that were looked at.
-- column observed: Observed value, as text.
-- column reason: Why the rule exists.
-- column run: Name of the run.
-- column checked_at: When the rule was checked.
-- column docs_url: Data Docs page of the run.
WITH ranked AS (
  SELECT
    *,
    RANK() OVER (PARTITION BY suite ORDER BY run_checked_at DESC, run DESC) AS place
  FROM (
    SELECT
      *,
      MAX(checked_at) OVER (PARTITION BY suite, run) AS run_checked_at
    FROM nba_ops.validation_runs
  ) AS runs
)
SELECT
  suite,
  rule,
  severity,
  failed_rows,
  ranked.rows AS looked_at,
  observed,
  reason,
  run,
  checked_at,
  docs_url
FROM ranked
WHERE place = 1 AND NOT passed
ORDER BY CASE severity WHEN 'stop' THEN 1 WHEN 'quarantine' THEN 2 ELSE 3 END, suite, rule
