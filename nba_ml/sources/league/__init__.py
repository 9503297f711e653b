"""A simulated basketball league: seasons, players, games, lines and reports out of one seed."""
