"""Checks of the connection (T1, T2): cancelled, terminated, broken, pooled."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection, connections
from psycopg.sql import SQL, Identifier

from crm_platform.kernel import tenancy
from crm_platform.kernel.db.company.base import MAX_COMPANIES_A_CONNECTION
from crm_platform.kernel.errors import CrossedCompanies, NoCompany
from tests.kernel.figures import Figures

READ = "SELECT (SELECT name FROM fields_tag ORDER BY id LIMIT 1), pg_backend_pid()"
TROUBLE = (DatabaseError, InterfaceError, psycopg.Error)
Pair = tuple[tenancy.Scope, tenancy.Scope]


def _read() -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return tuple(cursor.fetchone())


class _Nemesis(threading.Thread):  # noqa: TID251  the test's own
    """Cancels what the watched backend runs, over and over; now and then ends it."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self.pid, self.cancels, self.kills = url, 0, 0, 0
        self._over = threading.Event()

    def run(self) -> None:
        dice = random.Random(7)  # noqa: S311
        with psycopg.connect(self._url, autocommit=True) as admin:
            while not self._over.is_set():
                pid = self.pid
                if not pid:
                    continue
                ends = dice.random() < 0.002
                act = "pg_terminate_backend" if ends else "pg_cancel_backend"
                admin.execute(f"SELECT {act}(%s)", [pid])
                self.cancels += not ends
                self.kills += ends

    def stop(self) -> None:
        self._over.set()
        self.join()


def cancelled_while_switching(pair: Pair, superuser_url: str, *, operations: int) -> Figures:
    """Two companies in turn on one connection that somebody keeps cancelling (M5)."""
    found = Figures()
    nemesis = _Nemesis(superuser_url)
    nemesis.start()
    try:
        for number in range(operations):
            scope = pair[number % 2]
            try:
                with tenancy.unit_of_work(scope):
                    name, nemesis.pid = _read()
            except TROUBLE:
                found.errors += 1
                found.total += 1
                if connection.connection is None or connection.connection.closed:
                    nemesis.pid = 0
                continue
            found.judge(is_right=name == scope.slug, note=f"{scope.slug} read {name}")
    finally:
        nemesis.stop()
        with suppress(*TROUBLE):
            connection.close()
    found.notes.append(f"cancels={nemesis.cancels}, kills={nemesis.kills}")
    return found


def cancelled_at_the_switch(pair: Pair, superuser_url: str) -> Figures:
    """The statement that changes the company waits for a lock, and is cancelled right there."""
    found = Figures()
    for one, other in (pair, pair[::-1]):
        with tenancy.unit_of_work(one):
            _name, pid = _read()
        with psycopg.connect(superuser_url, autocommit=True) as admin:
            # A change of the role makes every backend look it up anew, behind the lock.
            role = SQL("ALTER ROLE {} CONNECTION LIMIT -1").format(Identifier(other.role))
            admin.execute(role)
            with admin.transaction():
                admin.execute("LOCK TABLE pg_authid IN ACCESS EXCLUSIVE MODE")
                cancelling = threading.Thread(  # noqa: TID251  the test's own
                    target=_cancel_once_it_waits, args=(admin, pid)
                )
                cancelling.start()
                try:
                    with tenancy.unit_of_work(other):
                        name, _pid = _read()
                    found.judge(is_right=name == other.slug, note=f"{other.slug} read {name}")
                except TROUBLE:
                    found.errors += 1
                    found.judge(is_right=True)
                finally:
                    cancelling.join()
                    connection.close()
    return found


def _cancel_once_it_waits(admin: psycopg.Connection, pid: int) -> None:
    for _look in range(100_000):
        waiting = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
        if admin.execute(waiting, [pid]).fetchone():
            admin.execute("SELECT pg_cancel_backend(%s)", [pid])
            return
    raise AssertionError("It never waited: nothing was cancelled.")


def broken_scopes(pair: Pair) -> list[tenancy.Scope]:
    """Scopes whose entering must fail: no such role, a role we may not take, a foreign login."""
    import dataclasses

    whole = pair[0]
    roles = ("t_nobody_has_this", "rapport_owner", "rapport_app_x", "pg_read_all_data")
    return [dataclasses.replace(whole, role=role) for role in roles]


def entered_although_broken(pair: Pair) -> Figures:
    """A `SET` that fails never lets the query run."""
    found = Figures()
    for scope in broken_scopes(pair):
        try:
            with tenancy.unit_of_work(scope):
                _read_anything()
            found.judge(is_right=False, note=f"{scope.role}: the query ran")
        except DatabaseError:
            found.judge(is_right=True)
        finally:
            connection.close()
    return found


def _read_anything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def unguarded_statements(pair: Pair) -> Figures:
    """Outside a unit of work, and inside one whose company is not the current one, nothing runs."""
    found = Figures()
    one, other = pair

    def ask(note: str) -> None:
        try:
            _read_anything()
            found.judge(is_right=False, note=note)
        except (NoCompany, CrossedCompanies):
            found.judge(is_right=True)

    connection.ensure_connection()
    ask("outside every unit of work")
    with tenancy.choose(one):
        ask("chosen without a transaction")
    with tenancy.unit_of_work(one):
        with tenancy.choose(other):
            ask("another company chosen inside a transaction")
        with tenancy.choose(None):
            ask("no company chosen inside a transaction")
    return found


def gone_schema(scope: tenancy.Scope) -> Figures:
    """A schema that was dropped reads and writes nothing anywhere else (M7)."""
    found = Figures()
    for statement in (
        "SELECT count(*) FROM identity_user",
        "SELECT count(*) FROM tenants_company",
        "INSERT INTO identity_configversion (version) VALUES (77)",
        "DELETE FROM identity_role",
    ):
        try:
            with tenancy.unit_of_work(scope), connection.cursor() as cursor:
                cursor.execute(statement)
            found.judge(is_right=False, note=statement)
        except DatabaseError:
            found.judge(is_right=True)
    return found


def read_by_threads(pair: Pair, *, threads: int, reads: int) -> Figures:
    """Each thread reads both companies in a random order, all at once (T2, T3)."""
    found, lock = Figures(), threading.Lock()
    begin = threading.Barrier(threads)

    def work(seed: int) -> None:
        dice, own = random.Random(seed), Figures()  # noqa: S311
        begin.wait()
        for _turn in range(reads):
            scope = dice.choice(pair)
            try:
                with tenancy.unit_of_work(scope):
                    name, _pid = _read()
                    inside = tenancy.current_or_none()
                is_right = name == scope.slug and inside == scope
                own.judge(is_right=is_right, note=f"{scope.slug}: {name}")
                own.judge(is_right=tenancy.current_or_none() is None, note="a scope was left over")
            except (*TROUBLE, NoCompany, CrossedCompanies) as error:
                own.judge(is_right=False, note=f"{type(error).__name__}: {error}")
        connection.close()
        with lock:
            found.total += own.total
            found.wrong += own.wrong
            found.notes += own.notes[:3]

    running = [
        threading.Thread(target=work, args=(seed,))  # noqa: TID251  the test's own
        for seed in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return found


@contextmanager
def through(port: int, host: str = "127.0.0.1", max_age: int = 0) -> Iterator[None]:
    """The application's connections go through a pooler for the block (new threads' too)."""
    with _changed(HOST=host, PORT=str(port), CONN_MAX_AGE=max_age):
        yield


@contextmanager
def pooled(size: int) -> Iterator[None]:
    """This process's threads share `size` connections for the block, as with RAPPORT_DB_POOL."""
    options = {"pool": {"min_size": 1, "max_size": size, "max_lifetime": 1800, "timeout": 20}}
    with _changed(OPTIONS=options, CONN_MAX_AGE=0):
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"].close_pool()


@contextmanager
def _changed(**settings: Any) -> Iterator[None]:
    kept: dict[str, Any] = dict(connections.settings["default"])
    connections["default"].close()
    connections.settings["default"].update(settings)
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"].update(kept)


def served_by_one(pair: Pair) -> tuple[set[int], set[int]]:
    """Backends before and after a connection served as many companies as it may."""
    backends: tuple[set[int], set[int]] = (set(), set())
    connection.close()
    with tenancy.unit_of_work(pair[0]):
        backends[0].add(_read()[1])
    connection._served.update(f"t_{n}" for n in range(MAX_COMPANIES_A_CONNECTION - 1))
    with tenancy.unit_of_work(pair[0]):  # known already: it may stay
        backends[0].add(_read()[1])
    if connection.pool:
        connection.close()  # what it served is remembered in the pool
    with tenancy.unit_of_work(pair[1]):
        backends[1].add(_read()[1])
    return backends
