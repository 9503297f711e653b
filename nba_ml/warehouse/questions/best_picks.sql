-- question: Which are this week's best picks?
-- asked by: analysts
-- reading: Picks of the last seven slate days that nothing blocks, by the calibrated probability of the pick's side, which has to agree with the number. Break-even at −110 is 0.524. Compare p_side with p_side_market: where both agree, the price has it already.
-- column slate_date: Date of the games in America/New_York.
-- column player_name: Player's name.
-- column team: Tricode of the player's team.
-- column opponent: Tricode of the other team.
-- column side: Side of the line that the number lies on: over or under.
-- column line: Line that the prediction saw: median over books.
-- column predicted_points: The consensus number of points.
-- column p_side: Calibrated probability, 0 to 1, that the points end on the pick's side, pushes excluded.
-- column p_side_market: The market's probability of the same side, vig removed; null where prices are nominal.
-- column odds: American odds of the pick's side.
-- column quality_tier: gold or silver.
-- column mode: live (written before tip-off) or replay (a past slate scored again).
-- column outcome: win, loss, push or void once it is graded; null before.
WITH last_slate AS (
  SELECT MAX(slate_date) AS slate_date
  FROM nba_predictions.v_latest_predictions
)
SELECT
  picks.slate_date,
  picks.player_name,
  picks.team,
  picks.opponent,
  picks.side,
  picks.line,
  picks.predicted_points,
  CASE picks.side WHEN 'over' THEN picks.p_over ELSE 1 - picks.p_over END AS p_side,
  CASE picks.side WHEN 'over' THEN picks.p_over_market ELSE 1 - picks.p_over_market END AS p_side_market,
  CASE picks.side WHEN 'over' THEN picks.over_odds ELSE picks.under_odds END AS odds,
  picks.quality_tier,
  picks.mode,
  grades.outcome
FROM nba_predictions.v_latest_predictions AS picks
INNER JOIN last_slate
  ON picks.slate_date > last_slate.slate_date - 7
LEFT JOIN nba_predictions.v_graded_predictions AS grades
  ON picks.slate_date = grades.slate_date
  AND picks.game_id = grades.game_id
  AND picks.player_id = grades.player_id
  AND grades.system_id = 'ensemble'
WHERE NOT picks.blocked
  AND ((picks.side = 'over' AND picks.p_over > 0.5) OR (picks.side = 'under' AND picks.p_over < 0.5))
  AND picks.quality_tier IN ('gold', 'silver')
ORDER BY p_side DESC, picks.slate_date, picks.player_id
LIMIT 20
