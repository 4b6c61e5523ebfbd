"""Embedded servers of a test's own, in a folder of its own."""

import shutil
import tempfile
from pathlib import Path

import pytest

from crm_platform.ops import embedded, places


def open_folder():
    """A folder that PostgreSQL's user can walk to (pytest's own are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-tests-"))
    folder.chmod(places.passable_mode())
    return folder


@pytest.fixture
def data_dir():
    """A data folder; whatever runs in it is stopped and deleted afterwards."""
    folder = open_folder()
    yield folder / "data"
    embedded.reset(folder / "data")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def running_servers():
    """Servers that a whole module only reads or that it cleans up after."""
    folder = open_folder()
    yield embedded.start(folder / "data", careless=True)
    embedded.reset(folder / "data")
    shutil.rmtree(folder)
