"""A past season lived through day by day in one process, under a simulated clock, by the very steps that the DAGs call."""
