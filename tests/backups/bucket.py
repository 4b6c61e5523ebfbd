"""A real server of the S3 protocol beside the tests, over HTTP (moto's)."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BUCKET = "archives"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}


@contextmanager
def server(**variables: str) -> Iterator[str]:
    """Its address, for the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    program = Path(sys.executable).with_name("moto_server")
    process = subprocess.Popen(
        [program, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, **CREDENTIALS, **variables},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _attempt in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
            except OSError:
                assert process.poll() is None, "The S3 server ended at once"
                select.select([], [], [], 0.05)
            else:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def make_bucket(address: str, name: str = BUCKET) -> None:
    """An empty bucket on the server."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    client.create_bucket(Bucket=name)


def url(address: str, name: str = BUCKET, prefix: str = "rapport") -> str:
    """How the environment names it."""
    return f"s3://{name}/{prefix}?endpoint={address}"
