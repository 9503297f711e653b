"""What Airflow has to be told of: the platform's timetables and deadlines."""

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin
from nba_deadline import SlateDue
from nba_runtime_timetable import RuntimePartitionTimetable
from nba_slate_timetable import SlateTimetable
from nba_tipoff_timetable import TipoffTimetable


class NbaPlugin(AirflowPlugin):
    """Registers the classes that Airflow stores by name and builds again elsewhere."""

    name = "nba_ml"
    timetables: ClassVar = [RuntimePartitionTimetable, SlateTimetable, TipoffTimetable]
    deadline_references: ClassVar = [SlateDue]
