-- question: How much of each slate was covered?
-- asked by: on call
-- reading: The last 14 slates with picks. games below scheduled means games without picks; a fall of line_coverage means that a feed of lines is late or its names no longer match (then see quarantined_rows).
-- column slate_date: Date of the games in America/New_York.
-- column mode: live, replay, or mixed where games differ.
-- column scheduled: Games on the schedule.
-- column games: Games with picks.
-- column population: Players that were looked at.
-- column predicted: Players with a number.
-- column abstained: Players without a number.
-- column blocked: Players whose pick a named reason blocks.
-- column with_line: Players with a line.
-- column line_coverage: Players with a line divided by the population, 0 to 1.
SELECT
  covered.slate_date,
  covered.mode,
  slates.games AS scheduled,
  covered.games,
  covered.population,
  covered.predicted,
  covered.abstained,
  covered.blocked,
  covered.with_line,
  covered.line_coverage
FROM nba_predictions.v_slate_coverage AS covered
INNER JOIN nba_predictions.v_slate_status AS slates
  ON covered.slate_date = slates.slate_date
ORDER BY covered.slate_date DESC
LIMIT 14
