"""The processes of a deployment; each becomes the program that does the work."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from crm_platform.ops.environment import read_environment

READY = "Rapport serves at"
"""What the web process logs once the application is loaded and its port is open."""
SHORT_QUEUE, LONG_QUEUE = "celery", "long"
LONG_OPTION, LONG_NICENESS = "--long", 15
CELERY = [sys.executable, "-m", "celery", "--quiet", "--app", "crm_platform.celery"]


def web_command() -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        str(Path(__file__).with_name("gunicorn_conf.py")),
    ]


def worker_command() -> list[str]:
    """Processes, not threads: a company's scope never shares memory with another's."""
    return _worker(os.environ.get("RAPPORT_WORKERS", "2"), SHORT_QUEUE)


def long_worker_command() -> list[str]:
    """For work of minutes (imports, packages, backups): a queue and workers of its own."""
    return _worker(os.environ.get("RAPPORT_LONG_WORKERS", "2"), LONG_QUEUE)


def _worker(count: str, queue: str) -> list[str]:
    options = ["--concurrency", count, "--max-tasks-per-child", "500", "--queues", queue]
    name = ["--hostname", f"{queue}-{os.getpid()}@%h"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    return [*CELERY, "worker", *options, *name, *quiet]


def beat_command() -> list[str]:
    return [*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""]


def web(arguments: Sequence[str]) -> int:
    return _become([*web_command(), *arguments])


def worker(arguments: Sequence[str]) -> int:
    """`--long`: one for the long jobs, to which every other process of the machine goes first."""
    if LONG_OPTION not in arguments:
        return _become([*worker_command(), *arguments])
    os.nice(LONG_NICENESS)
    rest = [each for each in arguments if each != LONG_OPTION]
    return _become([*long_worker_command(), *rest])


def beat(arguments: Sequence[str]) -> int:
    return _become([*beat_command(), *arguments])


def _become(command: list[str]) -> int:
    """Replace this process, so that signals and exit status are the program's own."""
    read_environment(os.environ)  # refuses here, in one sentence, instead of in a traceback
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    os.execv(command[0], command)  # noqa: S606  our own command, no shell
