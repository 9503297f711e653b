"""A file is whole or as it was, whatever happens while it is written."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from nba_ml import atomic


def test_it_appears_whole_in_a_folder_that_is_made_for_it(tmp_path):
    path = tmp_path / "folder" / "file.json"
    with atomic.whole(path) as aside:
        aside.write_text("half")
        assert not path.exists()
        aside.write_text("whole")
    assert [(file.name, file.read_text()) for file in path.parent.iterdir()] == [("file.json", "whole")]


def test_where_writing_fails_the_old_file_stays_and_nothing_else(tmp_path):
    path = tmp_path / "file.json"
    path.write_text("old")

    def broken_off() -> None:
        with atomic.whole(path) as aside:
            aside.write_text("new")
            raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        broken_off()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("file.json", "old")]


def test_writers_at_once_leave_the_file_of_one_of_them(tmp_path):
    path = tmp_path / "file.json"

    def write(number: int) -> None:
        with atomic.whole(path) as aside:
            aside.write_text(str(number) * 100_000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert path.read_text() in [str(number) * 100_000 for number in range(8)]
    assert list(tmp_path.iterdir()) == [path]
