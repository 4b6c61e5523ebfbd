"""A real PgBouncer in transaction mode before the tests' PostgreSQL."""

import select
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

CONFIG = """\
[databases]
{database} = host={host} dbname={database} user=rapport_app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 4
max_client_conn = 100
logfile = {folder}/log
ignore_startup_parameters = options
"""


def program() -> str | None:
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def running(database: str, host: str) -> Iterator[int]:
    """Its port, for the block."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-pgbouncer-", dir="/tmp"))
    folder.chmod(0o777)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = int(free.getsockname()[1])
    text = CONFIG.format(database=database, host=host, port=port, folder=folder)
    (folder / "conf.ini").write_text(text)
    (folder / "users.txt").write_text('"rapport_app" ""\n')
    for path in folder.iterdir():
        path.chmod(0o644)
    as_nobody = ["-u", "nobody"] if Path("/root").owner() == _me() else []
    command = [str(program()), "-q", *as_nobody, str(folder / "conf.ini")]
    process = subprocess.Popen(command)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _me() -> str:
    import getpass

    return getpass.getuser()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _attempt in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            assert process.poll() is None, "PgBouncer ended at once"
            select.select([], [], [], 0.05)
        else:
            return
    raise AssertionError("PgBouncer did not begin to listen.")
