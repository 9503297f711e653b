"""Messages: whatever an alert says, the payload is one that Slack takes, and it tells no secret."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_ml.notices.messages import IN_FULL, LISTED, compose
from nba_ml.notices.tellings import Telling
from tests.slack_stub import problems

NOW = datetime(2024, 1, 6, 15, tzinfo=UTC)
SECRETS = (
    "https://hooks.slack.com/services/T0ABCDEF1/B0ABCDEF2/s3cr3tvalue1234",
    "postgresql://airflow:s3cr3tvalue1234@db/airflow",
    "https://api.example.com/v4/odds?apiKey=s3cr3tvalue1234",
    'password="s3cr3tvalue1234"',
    "xoxb-1-s3cr3tvalue1234",
)
CHARACTERS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",))),
    st.text("<>&*_~`|\n\t \x00\u2028@!#:{}\\", max_size=400),
    st.sampled_from(["", " ", "\n", "&" * 4000, "<!channel>", "```", "x" * 5000, "\ud800", "é" * 3000]),
    st.builds("{} {} {}".format, st.text(max_size=20), st.sampled_from(SECRETS), st.text(max_size=20)),
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2024, 1, 6), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def tellings(draw):
    optional = st.one_of(st.none(), CHARACTERS)
    opened = draw(MOMENTS)
    row = {
        "cause": draw(CHARACTERS),
        "severity": draw(st.sampled_from(["urgent", "warning", "notice"])),
        "what": draw(CHARACTERS),
        "next_step": draw(CHARACTERS),
        "blocks": draw(optional),
        "link": draw(st.one_of(optional, st.builds("https://example.com/{}".format, CHARACTERS))),
        "resolution": draw(CHARACTERS),
        "figure": draw(st.one_of(st.none(), st.floats())),
        "threshold": draw(st.one_of(st.none(), st.floats())),
        "slate_date": draw(st.one_of(st.none(), st.dates(date(2024, 1, 1), date(2024, 1, 9)))),
        "count": draw(st.integers(1, 10**6)),
        "first_at": opened,
        "opened_at": opened,
        "resolved_at": opened + timedelta(minutes=draw(st.integers(0, 10**6))),
    }
    return Telling(row, draw(st.sampled_from(["open", "over", "note"])), "urgent")


@settings(max_examples=150, deadline=None)
@given(st.lists(tellings(), min_size=1, max_size=12))
def test_any_text_gives_a_message_that_slack_takes_and_tells_no_secret(given_tellings):
    payload = compose(given_tellings, "dev", NOW, remark="password=s3cr3tvalue1234")
    assert problems(payload) == []
    said = json.dumps(payload)
    json.loads(said.encode("utf-8"))
    assert "s3cr3tvalue1234" not in said
    assert "<!channel>" not in said


def row(**changes):
    return {
        "cause": "burst.shift:v2",
        "severity": "urgent",
        "what": "The slate of 2024-01-05 is not published.",
        "next_step": "nba-ml predict --slate 2024-01-05",
        "blocks": "The predictions of the slate.",
        "link": "https://airflow.example.com/dags/nba_predict/runs/r/tasks/score?try_number=1&x=2",
        "resolution": None,
        "figure": 0.4312,
        "threshold": 0.8,
        "slate_date": date(2024, 1, 5),
        "count": 1,
        "first_at": NOW - timedelta(minutes=5),
        "opened_at": NOW - timedelta(minutes=5),
        "resolved_at": None,
        **changes,
    }


def said(*rows, kind="open", told=False):
    payload = compose([Telling(each, kind, "urgent", told=told) for each in rows], "production", NOW)
    assert problems(payload) == []
    return payload, json.dumps(payload, ensure_ascii=False)


def test_a_message_says_what_since_when_what_it_blocks_the_figures_where_to_look_and_what_to_type():
    payload, text = said(row())
    assert payload["blocks"][0]["text"]["text"] == "Slate of Friday, 5 January 2024 · production"
    for part in (
        "The slate of 2024-01-05 is not published.",
        "*Since*\\nSat 6 Jan, 09:55 New York",
        "*Blocks*\\nThe predictions of the slate.",
        "*Figure*\\n0.4312",
        "*Asked*\\n0.8",
        "```nba-ml predict --slate 2024-01-05```",
        "tasks/score?try_number=1&amp;x=2|Log>",
        "`burst.shift:v2`",
    ):
        assert part in text
    assert payload["text"] == "production: 2024-01-05: The slate of 2024-01-05 is not published."


def test_it_is_grouped_by_slate_and_the_most_severe_comes_first():
    other = row(slate_date=date(2024, 1, 4), cause="a", severity="warning")
    payload, _ = said(other, row(cause="b", severity="notice"), row(cause="c"), row(cause="d", slate_date=None))
    heads = [block["text"]["text"].split(" ·")[0] for block in payload["blocks"] if block["type"] == "header"]
    assert heads == ["NBA predictions", "Slate of Friday, 5 January 2024", "Slate of Thursday, 4 January 2024"]
    causes = [block["elements"][-1]["text"] for block in payload["blocks"] if block["type"] == "context"][:-1]
    assert causes == ["`d`", "`c`", "`b`", "`a`"]


def test_the_same_cause_again_is_a_count_and_a_late_telling_says_so():
    _, text = said(row(count=4))
    assert "*Urgent, 4 times*" in text
    _, text = said(row(opened_at=NOW - timedelta(hours=3, minutes=10)))
    assert "Urgent, told 3 h 10 min late" in text


def test_what_is_over_says_after_how_long_and_how():
    _, text = said(row(resolved_at=NOW, resolution="Published at last."), kind="over")
    assert "Over after 5 min*\\nPublished at last." in text
    assert "It was: The slate of 2024-01-05 is not published." in text
    assert "Next step" not in text


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("nba-ml release show", "```nba-ml release show```"),
        ("Clear the task, or by hand: nba-ml predict --slate D", "Clear the task, or by hand:\\n```nba-ml predict --slate D```"),
        ("`nba-ml release show` says why: nba-ml predict", "*Next step*\\n`nba-ml release show` says why: nba-ml predict"),
        ("Read the log", "*Next step*\\nRead the log"),
    ],
)
def test_the_command_to_type_is_easy_to_copy(step, shown):
    assert shown in said(row(next_step=step))[1]


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("/dags/d/runs/r/tasks/t/required_actions?map_index=-1", "Answer"),
        ("/dags/d/runs/r/tasks/t", "Log"),
        ("/dags/d/runs/r", "Run"),
        ("/x", "Report"),
    ],
)
def test_a_link_says_where_it_goes(address, label):
    assert f"<https://example.com{address}|{label}>" in said(row(link=f"https://example.com{address}"))[1]


def test_a_storm_is_one_message_in_which_the_rest_is_counted():
    rows = [row(cause=f"c{number}", what=f"number {number:03d}", slate_date=date(2024, 1, 1) + timedelta(number)) for number in range(200)]
    payload, text = said(*rows)
    assert text.count("Next step") == IN_FULL
    assert sum(f"number {number:03d}" in text for number in range(200)) == IN_FULL + LISTED
    assert f"… and {200 - IN_FULL - LISTED} more" in text
    assert payload["text"].endswith("(and 199 more)")


def test_an_address_that_no_browser_opens_or_that_holds_a_secret_is_no_link():
    for address in ("gs://models/v2/card.html", "https://me:pw@example.com/x", "javascript:alert(1)", "https://[", "reports/weekly.html"):
        _, text = said(row(link=address))
        assert "|Log>" not in text
        assert "|Report>" not in text
        assert "pw@" not in text
