"""The `crm` command: the demo, the processes of a deployment, and every Django command."""

import os
import sys
from collections.abc import Callable, Sequence

from crm_platform.ops.console import complain, say
from crm_platform.ops.environment import EMBEDDED, EnvironmentRefused, read_environment
from crm_platform.ops.places import EmbeddedError

HELP = """\
crm: run Rapport, the rented CRM

  crm demo                 everything on this machine: PostgreSQL, Redis, web, worker, clock
    --port N               serve on another port than 8000
    --check                start, look at every important page, stop; exit 0 when all is well
    --code                 the demo operator's second-step code of the moment
    --reset [--yes]        delete the demo's data first (asks, unless --yes)

  crm doctor               what is configured, what is missing, what answers
  crm setup-database       make roles and database on a production PostgreSQL
    --superuser-url URL    the login that may (or DATABASE_SUPERUSER_URL)

  crm web                  serve pages (RAPPORT_BIND, RAPPORT_WEB_WORKERS, RAPPORT_WEB_THREADS)
  crm worker               do background work (RAPPORT_WORKERS)
    --long                 the long jobs: imports, packages, backups (RAPPORT_LONG_WORKERS)
  crm beat                 start what is due; run exactly one

  crm import COMPANY KIND FILE [--map …]
                           import a file as the page does
  crm backup COMPANY       back up one company now; crm backups lists them
  crm restore BACKUP --as ADDRESS
                           bring one back beside the old one, compare; --swap puts it in its place
  crm rehearsal make|reset|compare|promote|undo|remove COMPANY
                           a copy of its configuration, to try things
  crm COMMAND …            any Django command: migrate_platform, shell, check, i18n …
  crm commands             list them

Without settings, everything runs on embedded servers in .data/ (RAPPORT_DATA names another folder).
In production set RAPPORT_ENV=production and the variables of deploy/env.example.
"""

NEED_NO_SERVERS = frozenset(
    {"check", "collectstatic", "commands", "compilemessages", "diffsettings", "help"}
    | {"i18n", "makemessages", "makemigrations", "spectacular", "version", "findstatic"}
)
RENAMED = {"import": "import_file", "commands": "help"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words in (["-h"], ["--help"], ["help"]):
        say(HELP)
        return 0
    try:
        own = _own_command(words[0])
        return own(words[1:]) if own else _django(words)
    except (EnvironmentRefused, EmbeddedError) as error:
        complain(str(error))
        return 2
    except KeyboardInterrupt:
        return 130


def _own_command(name: str) -> Callable[[Sequence[str]], int] | None:
    """The command of ours with that name; imports only what that one needs, to be quick."""
    if name in ("web", "worker", "beat"):
        from crm_platform.ops import processes

        return {"web": processes.web, "worker": processes.worker, "beat": processes.beat}[name]
    if name == "demo":
        from crm_platform.ops import demo

        return demo.main
    if name == "doctor":
        from crm_platform.ops import doctor

        return doctor.main
    if name == "setup-database":
        from crm_platform.ops import setup_database

        return setup_database.main
    return None


def _django(words: list[str]) -> int:
    """Run a Django command, with the embedded servers around it where they are the ones used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_platform.settings")
    environment = read_environment(os.environ)
    words = [RENAMED.get(words[0], words[0]), *words[1:]]
    if environment.name != EMBEDDED or "DATABASE_URL" in os.environ or words[0] in NEED_NO_SERVERS:
        return _execute(words)
    assert environment.data_dir is not None
    from crm_platform.ops import embedded

    with embedded.running(environment.data_dir):
        return _execute(words)


def _execute(words: list[str]) -> int:
    from django.core.management import execute_from_command_line

    execute_from_command_line(["crm", *words])
    return 0


if __name__ == "__main__":
    sys.exit(main())
