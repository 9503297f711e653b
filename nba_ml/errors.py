"""The ways in which the platform stops, each with its exit status and what a retry is worth.

Every message names what is wrong (file, row, field, figure) and ends with the next step.
"""


class NbaMlError(Exception):
    """Base of all errors that are meant for the person who runs a command.

    Attributes
    ----------
    exit_code : int
        Exit status of `nba-ml` (contract: 1 unexpected, 2 usage or settings, 3 refused by a gate, 4 bad input).
    retryable : bool
        Whether the same call may succeed later with nothing changed; Airflow's retry policy reads it.
    alerted : str or None
        Cause of the alert that tells of it already: people are not told of the failure of the task besides.
    """

    exit_code = 1
    retryable = False
    alerted: str | None = None


class UsageError(NbaMlError):
    """A command, option or setting that makes no sense."""

    exit_code = 2


class PermissionMissing(UsageError):
    """An account that may not do what was asked: the message names the role that may."""


class GateRefused(NbaMlError):
    """A gate said no.

    Parameters
    ----------
    message : str
        Which gate, the figure, the threshold and the next step.
    report : dict, optional
        The gate's full answer, printed as JSON by commands.
    """

    exit_code = 3

    def __init__(self, message: str, report: dict | None = None) -> None:
        super().__init__(message)
        self.report = report or {}


class BadInput(NbaMlError):
    """Input data that is wrong: the message names file, row and field."""

    exit_code = 4


class ArtefactError(NbaMlError):
    """A stored model that is missing, altered, or made for another schema or library version."""

    exit_code = 3


class Unavailable(NbaMlError):
    """A lock, a network or a service that did not answer in time: worth a retry."""

    retryable = True
