"""A transaction begins with its first statement: in the right company, whatever that one is."""

import dataclasses
import tempfile

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction

from crm_core.fields.models import Tag
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import ReadOnly

NAMES = "SELECT name FROM fields_tag ORDER BY id LIMIT 1"


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def end(servers, backend):
    """Have PostgreSQL end a backend, and wait until it is gone."""
    with psycopg.connect(servers.superuser_url, autocommit=True) as admin:
        gone = admin.execute("SELECT pg_terminate_backend(%s, 5000)", [backend]).fetchone()
    assert gone == (True,)


def by_execute():
    return run(NAMES)


def by_parameters():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM fields_tag WHERE name LIKE %s ORDER BY id", ["wall%"])
        return cursor.fetchone()[0]


def by_copy():
    with connection.cursor() as cursor, cursor.copy(f"COPY ({NAMES}) TO STDOUT") as copy:
        return b"".join(copy).decode().strip()


def by_stream():
    with connection.cursor() as cursor:
        return next(iter(cursor.stream(NAMES)))[0]


def by_many():
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE fields_tag SET hue = hue WHERE id = %s", [(1,), (2,)])
    return by_execute()


def by_savepoint():
    with transaction.atomic():
        return by_execute()


def by_iterator():
    return next(iter(Tag.objects.order_by("pk").values_list("name", flat=True).iterator()))


WAYS = (by_execute, by_parameters, by_copy, by_stream, by_many, by_savepoint, by_iterator)


@pytest.mark.parametrize("first", WAYS)
def test_first_statement_of_any_kind_runs_in_its_company(way, pair, first):
    for scope in (*pair, pair[0]):
        with tenancy.unit_of_work(scope):
            assert first() == scope.slug
            assert by_execute() == scope.slug


def test_one_query_is_two_messages_and_no_query_is_none(pair):
    connection.close()
    with tempfile.TemporaryFile("w+b") as trace:
        with tenancy.unit_of_work(pair[0]):
            by_execute()
        connection.connection.pgconn.trace(trace.fileno())
        with tenancy.unit_of_work(pair[1]):
            pass
        with tenancy.unit_of_work(pair[1]):
            by_execute()
        connection.connection.pgconn.untrace()
        connection.close()
        trace.seek(0)
        sent = [line for line in trace.read().decode().splitlines() if "\tQuery\t" in line]

    assert [line.partition('"')[2].split(";")[0].rstrip(' "') for line in sent] == [
        "BEGIN",
        "COMMIT",
    ]


def test_message_refused_as_a_whole_leaves_the_beginning_to_the_next(way, pair):
    by_execute_of(pair[1])
    with tenancy.unit_of_work(pair[0]):
        with pytest.raises(ProgrammingError):
            run("SELEC nothing")
        assert by_execute() == pair[0].slug


def test_first_statement_that_fails_takes_the_transaction_with_it(way, pair):
    with tenancy.unit_of_work(pair[0]):
        with pytest.raises(DatabaseError, match="zero"):
            run("SELECT 1 / 0")
        with pytest.raises(DatabaseError, match="aborted"):
            by_execute()
    assert by_execute_of(pair[1]) == pair[1].slug


def test_savepoint_that_comes_first_keeps_what_follows(pair):
    with tenancy.unit_of_work(pair[0]):
        with pytest.raises(DatabaseError), transaction.atomic():
            run("SELECT 1 / 0")
        assert by_execute() == pair[0].slug


def by_execute_of(scope):
    with tenancy.unit_of_work(scope):
        return by_execute()


@pytest.mark.parametrize("first", WAYS)
def test_server_that_went_away_after_entering_is_asked_again(way, pair, servers, first):
    with tenancy.unit_of_work(pair[0]):
        backend = run("SELECT pg_backend_pid()")
    with tenancy.unit_of_work(pair[1]):
        end(servers, backend)
        assert first() == pair[1].slug
    assert not connection.closed_in_transaction
    assert by_execute_of(pair[0]) == pair[0].slug


def test_what_was_begun_is_never_sent_twice(pair, servers):
    """A server that goes away later takes the transaction with it: nothing goes on without it."""

    def lose_the_server():
        with tenancy.unit_of_work(pair[0]):
            end(servers, run("SELECT pg_backend_pid()"))
            by_execute()

    with pytest.raises(OperationalError):
        lose_the_server()
    connection.close()


def test_role_that_is_not_there_is_said_and_a_refused_query_is_not_that(way, pair):
    strange = dataclasses.replace(pair[0], role="t_nobody_has_this")
    with pytest.raises(OperationalError, match="could not be entered"):
        by_execute_of(strange)
    with pytest.raises(ProgrammingError, match="permission denied"), tenancy.unit_of_work(pair[0]):
        run(f'SELECT name FROM "{pair[1].schema}".fields_tag')


def test_read_only_company_refuses_the_first_statement_too(pair):
    barred = dataclasses.replace(pair[0], writable=False)
    with pytest.raises(ReadOnly), tenancy.unit_of_work(barred):
        Tag.objects.create(name="late")
    with tenancy.unit_of_work(barred):
        assert by_execute() == pair[0].slug


# -- the end of a unit in which only questions were asked ----------------------------------------


def test_answer_to_the_end_of_mere_questions_is_taken_by_the_next_unit(pair):
    for scope in (*pair, pair[0]):
        assert by_execute_of(scope) == scope.slug
        with tenancy.unit_of_work(scope):
            pass
    assert connection.is_usable()
    assert not connection._is_ending


def test_server_that_went_away_after_mere_questions_is_asked_again(pair, servers):
    with tenancy.unit_of_work(pair[0]):
        backend = run("SELECT pg_backend_pid()")
    end(servers, backend)
    assert by_execute_of(pair[1]) == pair[1].slug


LOCKS = "SELECT name FROM fields_tag ORDER BY id LIMIT 1 FOR UPDATE"


@pytest.mark.parametrize(
    ("statement", "waits"),
    [(NAMES, False), (LOCKS, True), ("UPDATE fields_tag SET hue = hue RETURNING name", True),
     ("SELECT pg_advisory_xact_lock(1)", True)],
)  # fmt: skip
def test_whoever_changes_or_locks_waits_until_it_is_kept(pair, statement, waits):
    with tenancy.unit_of_work(pair[0]):
        run(statement)
    assert connection._is_ending is not waits


def test_rows_are_there_for_others_the_moment_a_unit_ends(pair, servers):
    with psycopg.connect(servers.superuser_url, autocommit=True,
                         dbname=connection.settings_dict["NAME"]) as other:  # fmt: skip
        for number in range(50):
            with tenancy.unit_of_work(pair[1]):
                run(NAMES)
                Tag.objects.filter(name=pair[1].slug).update(hue=number)
            seen = other.execute(f'SELECT max(hue) FROM "{pair[1].schema}".fields_tag').fetchone()
            assert seen == (number,)
