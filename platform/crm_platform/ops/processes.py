"""The three processes of a deployment; each becomes the program that does the work."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from crm_platform.ops.environment import read_environment

READY = "Rapport serves at"
"""What the web process logs once the application is loaded and its port is open."""
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
    count = os.environ.get("RAPPORT_WORKERS", "2")
    options = ["--concurrency", count, "--max-tasks-per-child", "500"]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    return [*CELERY, "worker", *options, *quiet]


def beat_command() -> list[str]:
    return [*CELERY, "beat", "--loglevel", "INFO", "--pidfile", ""]


def web(arguments: Sequence[str]) -> int:
    return _become([*web_command(), *arguments])


def worker(arguments: Sequence[str]) -> int:
    return _become([*worker_command(), *arguments])


def beat(arguments: Sequence[str]) -> int:
    return _become([*beat_command(), *arguments])


def _become(command: list[str]) -> int:
    """Replace this process, so that signals and exit status are the program's own."""
    read_environment(os.environ)  # refuses here, in one sentence, instead of in a traceback
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    os.execv(command[0], command)  # noqa: S606  our own command, no shell
