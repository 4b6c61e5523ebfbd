"""A PostgreSQL of a test's own, that the test may restart while others use it."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.db import connections
from psycopg.sql import SQL, Identifier

from crm_platform.ops import embedded, embedded_process, places
from crm_platform.ops.embedded_binaries import postgres_binaries
from crm_platform.ops.embedded_postgres import Cluster
from tests import conftest
from tests.ops.conftest import open_folder


class OwnServer:
    """PostgreSQL (and Redis) in a folder of their own, with an empty database of the tests' name.

    A commit is written before it is answered, as in a real service, so a crash of the server loses
    as much as there; only the disk is not waited for, which a machine that lives on does not show.
    """

    def __init__(self, data: Path) -> None:
        self.data = data
        name = conftest.TEST_DATABASE
        self.servers = embedded.start(data, careless=True)
        embedded.create_database(self.servers.superuser_url, database=name)
        with psycopg.connect(self.servers.superuser_url, autocommit=True) as admin:
            changed = SQL("ALTER DATABASE {} SET synchronous_commit = on")
            admin.execute(changed.format(Identifier(name)))

    def environment(self):
        """What a process needs to work on this server."""
        told = {name: value for name, value in os.environ.items() if name != "PYTEST_XDIST_WORKER"}
        return {**told, "RAPPORT_DATA": str(self.data)}

    def restart(self, mode):
        """`pg_ctl restart -m fast` (sessions are ended) or `-m immediate` (as a crash)."""
        self._control("restart", "-m", mode, "-w", "-t", "30")

    def _control(self, *words):
        account = places.server_account()
        folder = Cluster(self.data).folder
        command = [postgres_binaries(account) / "pg_ctl", *words, "-D", folder]
        done = embedded_process.run_as([*command, "-l", folder / "restarted.log"], account=account)
        assert done.returncode == 0, done.stdout + done.stderr

    def remove(self):
        self._control("stop", "-m", "immediate", "-w")
        embedded.reset(self.data)
        shutil.rmtree(self.data.parent)


@contextmanager
def own_server():
    """The server, with this process's own connections led to it for the block."""
    server = OwnServer(open_folder() / "data")
    sockets = str(places.postgres_socket_dir(server.data))
    before = {each.alias: each.settings_dict["HOST"] for each in connections.all()}
    try:
        _lead_to(dict.fromkeys(before, sockets))
        yield server
    finally:
        _lead_to(before)
        server.remove()


def _lead_to(hosts):
    for alias, host in hosts.items():
        connections[alias].close()
        connections[alias].settings_dict["HOST"] = host
