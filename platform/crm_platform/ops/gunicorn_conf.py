"""How gunicorn serves Rapport, in the demo and in production (`crm web` passes the numbers)."""

import gc
import os
from typing import Any

from crm_platform.ops.logging import configuration
from crm_platform.ops.processes import READY

wsgi_app = "crm_platform.wsgi:application"
bind = os.environ.get("RAPPORT_BIND", "127.0.0.1:8000")
worker_class = "gthread"
workers = int(os.environ.get("RAPPORT_WEB_WORKERS", "2"))
threads = int(os.environ.get("RAPPORT_WEB_THREADS", "4"))
preload_app = True
max_requests, max_requests_jitter = 5000, 500
timeout = 60
graceful_timeout = int(os.environ.get("RAPPORT_GRACEFUL_SECONDS", "25"))
keepalive = 5
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108  heartbeat
forwarded_allow_ips = os.environ.get("RAPPORT_PROXY_ADDRESSES", "127.0.0.1")
accesslog = None
"""Our middleware writes one structured line a request instead."""
control_socket_disable = True

logconfig_dict = configuration(
    level=os.environ.get("LOG_LEVEL", "INFO"), format=os.environ.get("LOG_FORMAT", "text")
)


def when_ready(server: Any) -> None:
    """Say so (the demo waits for this line), before the workers are forked.

    What is loaded by now is never garbage: frozen, it is neither looked at nor copied by them.
    """
    gc.collect()
    gc.freeze()
    server.log.info("%s %s", READY, bind)
