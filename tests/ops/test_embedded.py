"""The embedded servers: made once, found again, repaired, shared, gone with their last user."""

import os
import shutil
import signal
import subprocess
import sys

import psycopg
import pytest
import redis

from crm_platform.ops import embedded, embedded_postgres, places
from crm_platform.ops.embedded_postgres import MARKER, Cluster
from crm_platform.ops.embedded_process import read_pid
from tests.ops import surroundings
from tests.ops.conftest import open_folder

USER = """
import sys
from pathlib import Path
from crm_platform.ops import embedded
embedded.start(Path(sys.argv[1]), careless=True)
print("started", flush=True)
sys.stdin.readline()
"""


def start(data_dir):
    return embedded.start(data_dir, careless=True)


def folder_of(data_dir):
    return Cluster(data_dir).folder


def write_row(servers):
    with psycopg.connect(servers.owner_url) as connection:
        connection.execute("CREATE TABLE public.kept (id bigint PRIMARY KEY)")
        connection.execute("INSERT INTO public.kept VALUES (7)")


def has_row(servers):
    with psycopg.connect(servers.owner_url) as connection:
        return connection.execute("SELECT id FROM public.kept").fetchall() == [(7,)]


@pytest.fixture(scope="module")
def made_once():
    """A data folder whose first run is over, with a row and a key in it."""
    folder = open_folder()
    servers = start(folder / "data")
    write_row(servers)
    with redis.Redis.from_url(servers.redis_url) as client:
        client.set("kept", "yes")
    embedded.release(folder / "data")
    yield folder / "data"
    embedded.reset(folder / "data")
    shutil.rmtree(folder)


@pytest.fixture
def made(made_once):
    """The same folder, with nothing running before and after."""
    yield made_once
    embedded.stop(made_once)


def test_start_answers_and_the_last_user_stops_both(made):
    servers = start(made)
    pid = read_pid(folder_of(made) / "postmaster.pid")
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.ping()

    embedded.release(made)

    assert not embedded.is_running(made)
    assert not places.runtime_dir(made).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_second_start_finds_the_data(made):
    servers = start(made)

    assert has_row(servers)
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.get("kept") == b"yes"


def test_start_while_running_joins(made):
    start(made)
    pid = read_pid(folder_of(made) / "postmaster.pid")

    start(made)

    assert read_pid(folder_of(made) / "postmaster.pid") == pid


def test_start_with_a_stale_pid_file_naming_a_living_process_starts(made):
    (folder_of(made) / "postmaster.pid").write_text(f"{os.getpid()}\n{folder_of(made)}\n")
    (made / "redis" / "redis.pid").write_text(f"{os.getpid()}\n")

    assert has_row(start(made))


def test_start_after_a_crash_recovers(made):
    embedded.start(made)
    for pid_file in (folder_of(made) / "postmaster.pid", made / "redis" / "redis.pid"):
        os.kill(read_pid(pid_file), signal.SIGKILL)

    assert has_row(embedded.start(made))


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("postgresql.conf", "no_such_setting = 1\n", "no_such_setting"),
        ("PG_VERSION", "16\n", "made by PostgreSQL 16"),
    ],
)
def test_start_that_cannot_work_says_why(made, file, content, reason):
    path = folder_of(made) / file
    right = path.read_text()
    path.write_text(content)
    try:
        with pytest.raises(embedded.EmbeddedError, match=reason):
            start(made)
        assert not embedded_postgres.is_running(Cluster(made))
    finally:
        path.write_text(right)


def test_two_processes_share_the_servers_and_the_second_one_stops_them(made):
    command = [sys.executable, "-c", USER, str(made)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pipes["env"] = surroundings.variables()
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        assert (one.stdout.readline(), other.stdout.readline()) == ("started\n", "started\n")

        one.communicate("\n")
        assert embedded.is_running(made)

        other.communicate("\n")
        assert not embedded.is_running(made)
    assert (one.returncode, other.returncode) == (0, 0)


def test_start_after_a_half_finished_first_run_makes_the_folder_anew(data_dir):
    data_dir.mkdir()
    half = data_dir / "postgres"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    (half / "global").mkdir()

    write_row(start(data_dir))

    assert (folder_of(data_dir) / MARKER).exists()


def test_start_after_the_first_run_ended_before_the_roles_makes_the_folder_anew(data_dir):
    write_row(start(data_dir))
    (folder_of(data_dir) / MARKER).unlink()

    servers = start(data_dir)

    with psycopg.connect(servers.owner_url) as connection:
        assert connection.execute("SELECT to_regclass('public.kept')").fetchone() == (None,)


def test_a_path_longer_than_a_socket_s_works(tmp_path):
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6) / "data"
    try:
        write_row(start(deep))
    finally:
        embedded.reset(deep)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_a_socket_folder_of_somebody_else_is_refused(data_dir):
    squatted = places.runtime_dir(data_dir)
    squatted.mkdir()
    os.chown(squatted, 12345, 12345)

    with pytest.raises(embedded.EmbeddedError, match="belongs to another user"):
        start(data_dir)
    squatted.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_as_root_folders_above_the_data_keep_their_mode(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    try:
        write_row(start(closed / "data"))
        assert closed.stat().st_mode & 0o777 == 0o700
        assert folder_of(closed / "data").is_relative_to(places.ROOTS_OWN)
    finally:
        embedded.reset(closed / "data")
    assert not places.roots_own(closed / "data").exists()


def test_reset_deletes_what_is_ours_and_nothing_else(data_dir):
    start(data_dir)
    (data_dir / "my-notes.txt").write_text("mine")

    embedded.reset(data_dir)

    assert not embedded.is_running(data_dir)
    assert not embedded_postgres.Cluster(data_dir).folder.exists()
    assert (data_dir / "my-notes.txt").read_text() == "mine"
