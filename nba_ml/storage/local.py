"""The embedded object store: a folder."""

import os
import uuid
from pathlib import Path

from nba_ml.errors import NbaMlError, UsageError
from nba_ml.storage.names import ASIDE, checked, checked_prefix


class LocalStore:
    """The ObjectStore port over a folder; see `nba_ml.storage.port.ObjectStore` for what each method promises.

    An object is written aside, forced to disk and then linked to its name: one process only can make the link, and never to a part
    of a file. What a killed process leaves under ``.partial`` is no object.

    Parameters
    ----------
    folder : Path
        Made when the first object is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder).expanduser().resolve()
        self.url = self.folder.as_uri()

    def create(self, name: str, data: bytes) -> bool:
        """Create an object, whole or not at all; return False, with nothing changed, if the name is taken."""
        final = self._path(name)
        if final.is_file():
            return False
        if final.is_dir():
            raise UsageError(f"{name!r} is a folder of {self.url}: choose another name")
        aside = self.folder / ASIDE / uuid.uuid4().hex
        try:
            _make_folder(aside.parent)
            _make_folder(final.parent)
            try:
                _write(aside, data)
                os.link(aside, final)
            except FileExistsError:
                return False
            finally:
                aside.unlink(missing_ok=True)
            _sync_folder(final.parent)
        except (NotADirectoryError, FileExistsError) as error:
            raise UsageError(f"a part of {name!r} is an object of {self.url} already: choose another name") from error
        except OSError as error:
            raise NbaMlError(
                f"{name} can't be written to {self.url} ({error.strerror}); no object was created. "
                "Free disk space or correct the folder's permissions (NBA_ML_STORE names it), then run the same command again"
            ) from error
        return True

    def read(self, name: str) -> bytes:
        """Return an object's bytes; `FileNotFoundError` if there is none."""
        try:
            return self._path(name).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise FileNotFoundError(f"there is no object {name} in {self.url}") from None
        except OSError as error:
            raise NbaMlError(
                f"{name} can't be read from {self.url} ({error.strerror}): correct the folder's permissions (NBA_ML_STORE names it)"
            ) from error

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""
        return self._path(name).is_file()

    def list(self, prefix: str) -> list[str]:
        """Return the names that start with `prefix`, ascending."""
        start = self.folder / checked_prefix(prefix).rpartition("/")[0]
        found = []
        for folder, folders, files in os.walk(start):
            here = Path(folder)
            if here == self.folder and ASIDE in folders:
                folders.remove(ASIDE)
            found += [(here / file).relative_to(self.folder).as_posix() for file in files]
        return sorted(name for name in found if name.startswith(prefix))

    def url_of(self, name: str) -> str:
        """Return the file:// address of the object."""
        return self._path(name).as_uri()

    def _path(self, name: str) -> Path:
        """Return the file of an object; `UsageError` if it can't be an object's name."""
        return self.folder / checked(name)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each forced to disk."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
