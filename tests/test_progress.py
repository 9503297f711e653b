"""Progress: only what is outermost shows."""

import pytest

from nba_ml.progress import track


def test_what_goes_on_within_an_item_shows_nothing_of_its_own(capsys):
    assert [list(track(range(number), "inner")) for number in track([1, 2], "outer")] == [[0], [0, 1]]
    said = capsys.readouterr().err
    assert said.count("outer") == 2
    assert "inner" not in said


def test_after_an_error_or_a_break_it_shows_again(capsys):
    with pytest.raises(ZeroDivisionError):
        list(track((1 / number for number in (1, 0)), "first"))
    for _ in track([1, 2], "second"):
        break
    list(track([1], "third"))
    assert "third: 1 of 1" in capsys.readouterr().err
