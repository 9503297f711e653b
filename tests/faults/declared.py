"""The fault calendar: what each fault leads to, in one list. The tests hold the platform to it, and docs/faults.md is made from it."""

from dataclasses import dataclass
from typing import Literal

Rows = Literal["all", "untouched", "none"]

KINDS = {
    "feed": "Results and schedules",
    "lines": "Lines",
    "people": "People, teams, codes",
    "machines": "Machines",
    "schedule": "Schedules and clocks",
}
"""File of the tests, after ``test_`` → headline."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name : str
        Of its test, after ``test_``.
    kind : str
        A key of `KINDS`.
    what : str
        What happens.
    rows : {"all", "untouched", "none"}
        Which rows are published and not blocked, beside the same day without the fault: all and the same, the same apart from those that the
        fault touches, or none.
    published : str
        The same in words, and what becomes of the rest.
    alerts : tuple of str
        Causes of all alerts; {slate} and {next} are the two dates of the tests.
    command : str
        What the alert or the error says to type; the same two dates.
    person : str
        What a person does.
    """

    name: str
    kind: str
    what: str
    rows: Rows
    published: str
    alerts: tuple[str, ...]
    command: str
    person: str


INGEST, REFRESH, BUILD, PUBLISH = (
    "task.nba_ingest.ingest",
    "task.nba_predict.refresh:{next}",
    "task.nba_predict.build_features:{next}",
    "task.nba_predict.publish:{next}",
)
RESULTS, NOT_LIVE = "missed.ingest", "slate.not_live"
LOAD_RESULTS = "nba-ml ingest --from {slate} --to {slate}"
PREDICT_NEXT = "nba-ml predict --slate {next}"
LOAD_AND_PREDICT = "nba-ml ingest --from {slate} --to {next} && nba-ml predict --slate {next}"
LOOK = "nba-ml doctor"
NOTHING = "Nothing."
_NEXT_RUN = "the first run with a good feed publishes the slate and closes the alerts"

FAULTS = (
    Fault(
        "late_results",
        "feed",
        "In the morning, last night has neither scores nor box scores.",
        "untouched",
        "The next slate, with the teams of last night blocked (`stale_team`). The grades wait; they come with the results.",
        (RESULTS,),
        LOAD_RESULTS,
        "Waits, or loads the results when the feed has them; each morning's ingest looks eight days back by itself.",
    ),
    Fault(
        "empty_feed",
        "feed",
        "The feed answers, and has no rows in any table.",
        "none",
        "Nothing; no stored row is changed.",
        (INGEST, REFRESH),
        "nba-ml doctor",
        f"Looks at the source's settings and key; {_NEXT_RUN}.",
    ),
    Fault(
        "half_of_the_games",
        "feed",
        "The feed leaves out half of last night's games, in the schedule too.",
        "untouched",
        "The next slate, with the teams of the missing games blocked. The games that are in are graded, the others when they come.",
        (RESULTS,),
        LOAD_RESULTS,
        "As with late results.",
    ),
    Fault(
        "duplicated_feed",
        "feed",
        "The feed gives last night's box scores twice.",
        "none",
        "Nothing; no row is written twice, and none once.",
        (INGEST, REFRESH),
        "keep one of each and run the same command again",
        f"Has the feed mended; {_NEXT_RUN}.",
    ),
    Fault(
        "a_feed_one_day_off",
        "feed",
        "The feed dates games by UTC, so that each evening game is a day late.",
        "none",
        "Nothing; the stored dates stay.",
        (INGEST, REFRESH),
        "correct the schedule at its source and run the same command again",
        f"Has the feed mended; {_NEXT_RUN}.",
    ),
    Fault(
        "moved_game",
        "feed",
        "A game that was predicted is not played, and is on another date the next morning.",
        "all",
        "Everything; the rows of that game are void (`moved`), the others are graded.",
        (),
        "",
        NOTHING,
    ),
    Fault(
        "double_header_correction",
        "feed",
        "The schedule has a team play twice on a date, and is corrected within the hour.",
        "all",
        "Everything, after the correction; before it nothing of the feed is taken in.",
        (INGEST,),
        "correct it and run the same command again",
        "Runs the ingest again when the schedule is corrected, or waits for the next one, which closes the alert.",
    ),
    Fault(
        "lines_missing",
        "lines",
        "No line comes for the slate.",
        "all",
        "All numbers, without line, side and edge (`no_line`).",
        ("inputs.lines_missing",),
        LOAD_AND_PREDICT,
        "Mends the feed; the next ingest and run have the lines, and close the alert.",
    ),
    Fault(
        "lines_frozen",
        "lines",
        "The feed of lines stands still since the evening before.",
        "all",
        "All numbers, with the lines of the evening before; `line_captured_at` says how old each is.",
        ("inputs.lines_frozen",),
        LOAD_AND_PREDICT,
        "Mends the feed; the next ingest and run have the lines, and close the alert.",
    ),
    Fault(
        "placeholder_lines",
        "lines",
        "Two of five players have a line of 15.5.",
        "all",
        "All numbers; the placeholders are in `nba_ops.quarantine`, and those players have no line (`no_line`).",
        ("inputs.lines_missing",),
        LOAD_AND_PREDICT,
        "Has the feed mended; the next ingest and run have the lines, and close the alert.",
    ),
    Fault(
        "in_play_lines",
        "lines",
        "The feed goes on quoting while the games are played.",
        "all",
        "Everything; the quotes are in `nba_ops.quarantine`, and closing lines and grades are what they are without them.",
        (),
        "",
        NOTHING,
    ),
    Fault(
        "injuries_missing",
        "people",
        "Neither injury reports nor line-ups come for the slate.",
        "all",
        "All numbers, as they are where nobody is known to be out.",
        ("inputs.reports_missing",),
        LOAD_AND_PREDICT,
        "Mends the feed; the next ingest and run have the reports, and close the alert.",
    ),
    Fault(
        "time_zone_text",
        "people",
        'The feed of lines writes its times as text, "7:00 PM ET".',
        "none",
        "Nothing; a time whose zone has to be guessed is not taken in.",
        (REFRESH,),
        "correct it and run the same command again",
        f"Has the feed mended; {_NEXT_RUN}.",
    ),
    Fault(
        "new_team_code",
        "people",
        "A team has another code in schedule and box scores from one day to the next.",
        "untouched",
        "The next slate, with last night's opponent of that team blocked; its rows are in `nba_ops.quarantine`.",
        (RESULTS,),
        LOAD_RESULTS,
        "Reads in the alert which rules kept the rows out, has the code mapped at the source (`nba_ml/sources`), and loads the results again.",
    ),
    Fault(
        "unknown_player",
        "people",
        "There is a line on a player who has never played.",
        "untouched",
        "Everything; his own row is blocked (`too_few_games`).",
        (),
        "",
        NOTHING,
    ),
    Fault(
        "a_player_with_two_ids",
        "people",
        "The feed of lines gives a player another id than the box scores.",
        "untouched",
        "Everything; the row under the new id is blocked (`too_few_games`), the player's own stays.",
        ("inputs.two_ids",),
        LOAD_AND_PREDICT,
        "Has the id mapped at the source, and loads the lines again.",
    ),
    Fault(
        "slack_down",
        "machines",
        "Slack answers 503 while something goes wrong.",
        "all",
        "Everything, once what went wrong is mended; Slack has no part in it.",
        (INGEST, "slack:urgent", "slack:notices"),
        "nba-ml alerts send",
        "Nothing: the alerts are kept, and told once when Slack is back. `nba-ml alerts` lists them meanwhile.",
    ),
    Fault(
        "warehouse_locked",
        "machines",
        "Another process holds the warehouse through all three tries.",
        "all",
        "Everything, by the next run.",
        (REFRESH,),
        PREDICT_NEXT,
        "Ends the process that the message names, and clears the task. Slack is told though no alert could be written; it is written later.",
    ),
    Fault(
        "disk_full",
        "machines",
        "The disk takes no more while the slate is written.",
        "all",
        "Nothing while the disk is full, everything by the next run; what was stored is whole.",
        (BUILD,),
        PREDICT_NEXT,
        "Frees disk space, and clears the task.",
    ),
    Fault(
        "task_killed",
        "machines",
        "The process of a task is killed (SIGKILL) after the slate was staged, before it is published.",
        "all",
        "Nothing of the killed run, everything by the next one.",
        (PUBLISH,),
        PREDICT_NEXT,
        "Clears the task, if Airflow's own two retries were killed too; looks at the machine's memory.",
    ),
    Fault(
        "scheduler_restarted_in_mid_slate",
        "machines",
        "The scheduler is restarted while a slate is scored: tasks that were done or under way run again.",
        "all",
        "Everything, once.",
        (),
        "",
        NOTHING,
    ),
    Fault(
        "two_runs_of_one_slate_at_once",
        "machines",
        "Two runs of one slate go on at the same time.",
        "all",
        "Everything, once: both are the same run.",
        (),
        "",
        NOTHING,
    ),
    Fault(
        "deleted_schedule",
        "schedule",
        "All rows of `nba_raw.schedule` are deleted.",
        "none",
        "Nothing: numbers from half a history are none.",
        (BUILD,),
        "nba-ml ingest --from",
        "Loads the season again with the command that the alert names, and clears the task.",
    ),
    Fault(
        "paused_dag",
        "schedule",
        "`nba_predict` is paused.",
        "all",
        "Everything by `nba_update`, 75 minutes before the first tip-off. `nba-ml heartbeat` fails until then.",
        (NOT_LIVE,),
        PREDICT_NEXT,
        "Unpauses the DAG, or types the command.",
    ),
    Fault(
        "dead_scheduler",
        "schedule",
        "Nothing runs at all, the monitor included.",
        "none",
        "Nothing.",
        (),
        PREDICT_NEXT,
        "Starts Airflow again. Cron's `nba-ml heartbeat` tells (exit status 3), and so does the uptime service that no ping reaches.",
    ),
    Fault(
        "a_clock_jump",
        "schedule",
        "The machine's clock jumps past the first tip-off while a slate is scored.",
        "all",
        "By the run with the wrong clock a replay, marked as one; by the next run everything, live.",
        (NOT_LIVE,),
        LOOK,
        "Sets the clock, and clears the task: a live run closes the alert.",
    ),
    Fault(
        "wrong_season_config",
        "schedule",
        "The source is set to another season than that of its dates.",
        "none",
        "Nothing; no row of it is stored.",
        (REFRESH,),
        "correct it and run the same command again",
        f"Corrects the source's settings; {_NEXT_RUN}.",
    ),
)

BY_NAME = {fault.name: fault for fault in FAULTS}
