"""What a person may answer when a new version asks to run; Airflow reads it whenever it parses the DAG, so nothing else is here."""

from enum import StrEnum


class Choice(StrEnum):
    """An answer. `LATER` is also what comes of no answer: everything stays as it is."""

    APPROVE = "Approve"
    SHADOW = "Approve for shadow only"
    REJECT = "Reject"
    LATER = "Not now"


NOBODY = "nobody"
"""Who answered where the time was up."""
