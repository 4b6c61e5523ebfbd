"""Archives in a bucket of S3 or of a server that speaks its protocol.

`RAPPORT_BACKUP_STORE=s3://bucket/prefix?endpoint=https://…&region=…`; the credentials come from
where the library looks for them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the machine's
role.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from tenants.backups import refusals
from tenants.backups.store import parts_of

PART_BYTES = 8 * 1024 * 1024
"""What is held in memory while writing; at most 10,000 such parts make an archive (78 GiB)."""
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 10, 60, 4
ABSENT = frozenset({"NoSuchKey", "404"})
REFUSES = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "403",
     "ExpiredToken", "AuthFailure"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which store: from the address in the environment."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None

    @property
    def address(self) -> str:
        """For a sentence: no query, no secrets."""
        return self.endpoint or f"s3://{self.bucket}"


def place_of(url: str) -> Place:
    """Read `s3://bucket/prefix?endpoint=…&region=…`.

    Raises:
        ValueError: no bucket, or another kind of address.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.hostname:
        raise ValueError("The store's address must be like s3://bucket/prefix?endpoint=https://…")
    asked = parse_qs(parts.query)
    prefix = parts.path.strip("/")
    return Place(
        bucket=parts.netloc.rpartition("@")[2], prefix=f"{prefix}/" if prefix else "",
        endpoint=asked.get("endpoint", [None])[0], region=asked.get("region", [None])[0],
    )  # fmt: skip


class Bucket:
    """Archives as objects of one bucket; see `store.Store`."""

    def __init__(self, url: str = "") -> None:
        self._place = place_of(url or settings.BACKUP_STORE_URL)
        self._bucket = self._place.bucket
        self._made: Any = None

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = _client_of(self._place)
        return self._made

    def _key(self, name: str) -> str:
        return self._place.prefix + "/".join(parts_of(name))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The library's errors as sentences; an absent object as FileNotFoundError."""
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NoSuchBucket":
                raise refusals.no_bucket(self._bucket) from error
            if code in ABSENT:
                raise FileNotFoundError("The store has no such archive.") from error
            if code in REFUSES:
                raise refusals.store_refuses_us(self._bucket) from error
            raise
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
            raise refusals.no_credentials() from error
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise refusals.store_is_away(self._place.address) from error

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """Give a file to write; it gets its name when the block ends without an error.

        It goes away part by part while it is written; an error leaves nothing behind.
        """
        with self._told():
            upload = _Upload(self._client, self._bucket, self._key(name))
            try:
                yield cast("BinaryIO", upload)
                upload.finish()
            except BaseException:
                upload.give_up()
                raise

    def reading(self, name: str) -> BinaryIO:
        """The archive, to read from its start.

        Raises:
            FileNotFoundError: it is gone.
            StoreRefused: the store does not let us.
        """
        with self._told():
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
        return io.BufferedReader(_Download(found["Body"]), PART_BYTES // 8)

    def size(self, name: str) -> int:
        with self._told():
            found = self._client.head_object(Bucket=self._bucket, Key=self._key(name))
        return int(found["ContentLength"])

    def remove(self, name: str) -> None:
        """Remove an archive; an absent one is fine."""
        with self._told():
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def names(self, prefix: str) -> list[str]:
        """The archives below `prefix`, by name."""
        begin = f"{self._key(prefix)}/"
        pages = self._client.get_paginator("list_objects_v2")
        skipped = len(self._place.prefix)
        with self._told():
            return sorted(
                str(each["Key"])[skipped:]
                for page in pages.paginate(Bucket=self._bucket, Prefix=begin)
                for each in page.get("Contents", ())
            )

    def remove_drafts(self, *, older_than: float) -> int:
        """Give up uploads that dead processes began before `older_than`; says how many."""
        pages = self._client.get_paginator("list_multipart_uploads")
        removed = 0
        with self._told():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._place.prefix):
                for each in page.get("Uploads", ()):
                    if each["Initiated"].timestamp() < older_than:
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"]
                        )
                        removed += 1
        return removed

    def demand_answer(self) -> None:
        """Ask for a listing of one object.

        Raises:
            StoreRefused: the sentence says what is wrong.
        """
        with self._told():
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._place.prefix, MaxKeys=1)


def _client_of(place: Place) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise refusals.no_library() from error
    return boto3.session.Session().client(
        "s3", endpoint_url=place.endpoint, region_name=place.region or "us-east-1",
        config=Config(
            connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS,
            retries={"max_attempts": ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": "path" if place.endpoint else "auto"},
        ),
    )  # fmt: skip


class _Upload(io.RawIOBase):
    """Collects a part, sends it, forgets it; small archives go in one piece."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._where = client, {"Bucket": bucket, "Key": key}
        self._held = bytearray()
        self._upload_id = ""
        self._parts: list[dict[str, Any]] = []

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._held += content
        while len(self._held) >= PART_BYTES:
            self._send(bytes(self._held[:PART_BYTES]))
            del self._held[:PART_BYTES]
        return len(content)

    def _send(self, part: bytes) -> None:
        if not self._upload_id:
            began = self._client.create_multipart_upload(**self._where)
            self._upload_id = began["UploadId"]
        number = len(self._parts) + 1
        kept = self._client.upload_part(
            **self._where, UploadId=self._upload_id, PartNumber=number, Body=part
        )
        self._parts.append({"PartNumber": number, "ETag": kept["ETag"]})

    def finish(self) -> None:
        """Send the rest; only now the archive has its name."""
        if not self._upload_id:
            self._client.put_object(**self._where, Body=bytes(self._held))
            return
        if self._held:
            self._send(bytes(self._held))
        self._client.complete_multipart_upload(
            **self._where, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
        )

    def give_up(self) -> None:
        """Forget what was sent; where that fails too, `remove_drafts` does it later."""
        if self._upload_id:
            with suppress(Exception):
                self._client.abort_multipart_upload(**self._where, UploadId=self._upload_id)


class _Download(io.RawIOBase):
    """An answer's body as a file."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._body.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._body.close()
        super().close()
