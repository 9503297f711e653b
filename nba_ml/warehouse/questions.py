"""Questions of analysts and of people on call, each with the SQL that answers it on either warehouse."""

from dataclasses import dataclass
from functools import cache

from nba_ml.errors import UsageError
from nba_ml.warehouse import sql_files


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    name : str
        As in ``best_picks``.
    text : str
        The question itself.
    asked_by : str
        ``analysts`` or ``on call``.
    reading : str
        How to read the answer.
    columns : dict of str to str
        Column of the answer → description, in order.
    sql : str
        The query, in the subset that DuckDB and GoogleSQL have in common.
    """

    name: str
    text: str
    asked_by: str
    reading: str
    columns: dict[str, str]
    sql: str


def parse_question(name: str, text: str) -> Question:
    """Build a question from its SQL file; `ValueError` says what its comments lack."""
    header, columns, sql = sql_files.parse(name, text, ("question", "asked by", "reading"))
    return Question(name, header["question"], header["asked by"], header["reading"], columns, sql)


@cache
def questions() -> dict[str, Question]:
    """All questions from ``nba_ml/warehouse/questions/*.sql`` by name."""
    return {name: parse_question(name, text) for name, text in sql_files.sql_files("questions")}


def question(name: str) -> Question:
    """Return one question.

    Raises
    ------
    UsageError
        If there is none of this name.
    """
    if name not in questions():
        raise UsageError(f"there is no question {name!r}: `nba-ml questions` lists {', '.join(questions())}")
    return questions()[name]
