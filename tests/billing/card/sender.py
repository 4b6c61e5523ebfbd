"""A process that sends commands in children, for a test to kill.

A line "4 2026-11-20T12:00:00+00:00" makes four children that send what is due from that moment on;
it answers with their process ids, then "ended" when all are over.
"""

import datetime as dt
import os
import sys
import time

import django

django.setup()

from django.db import connections  # noqa: E402

from billing import outbox  # noqa: E402
from billing.providers import provider_of  # noqa: E402

provider_of("stripe")  # loads the SDK once, for all children
for mutant in sys.argv[1:]:
    if mutant == "new-key":
        send = outbox._done

        def renewed(command, *, at, send=send):
            outbox._new_key(command, at=at)
            return send(command, at=at)

        outbox._done = renewed
    elif mutant == "never-look":
        outbox.Doubtful = outbox.Again


def work(begin: dt.datetime) -> None:
    started = time.monotonic()
    while outbox.send_due(at=begin + dt.timedelta(seconds=time.monotonic() - started), most=1):
        pass


for line in sys.stdin:
    count, moment = line.split()
    children = []
    for _each in range(int(count)):
        child = os.fork()
        if child == 0:
            try:
                connections.close_all()
                work(dt.datetime.fromisoformat(moment))
            finally:
                os._exit(0)
        children.append(child)
    print(*children, flush=True)  # noqa: T201  talks to the test
    for child in children:
        os.waitpid(child, 0)
    print("ended", flush=True)  # noqa: T201
