-- question: What was quarantined, and why?
-- asked by: on call
-- reading: Rows that broke a rule and were kept out of the tables, by rule. The rows themselves are in nba_ops.quarantine, column row, as JSON. A feed that changed its form shows as one rule with many rows of one date.
-- column suite: Suite of expectations that the rule belongs to.
-- column rule: Rule that the rows broke.
-- column kept_out: Rows that were kept out.
-- column first_game_date: First slate date among them; null where they have none.
-- column last_game_date: Last slate date among them.
-- column last_seen: When the last of them was kept out.
-- column reason: Why the rule exists.
SELECT
  suite,
  rule,
  COUNT(*) AS kept_out,
  MIN(game_date) AS first_game_date,
  MAX(game_date) AS last_game_date,
  MAX(quarantined_at) AS last_seen,
  MAX(reason) AS reason
FROM nba_ops.quarantine
GROUP BY suite, rule
ORDER BY last_seen DESC, suite, rule
