"""A bucket over the network: what can be wrong with it, and what operators are told."""

import os
import subprocess
import sys
import time

import pytest

from tenants.backups import refusals
from tenants.backups.s3 import Bucket, place_of
from tenants.backups.store import store
from tests.backups import bucket

pytestmark = pytest.mark.usefixtures("in_bucket")


def test_upload_a_dead_process_left_is_given_up_by_the_sweep(s3_address):
    made = Bucket()
    upload = made._client.create_multipart_upload(Bucket=bucket.BUCKET, Key=made._key("h/1"))
    made._client.upload_part(
        Bucket=bucket.BUCKET, Key=made._key("h/1"), UploadId=upload["UploadId"], PartNumber=1,
        Body=b"x",
    )  # fmt: skip

    assert store().names("h") == []
    assert store().remove_drafts(older_than=0) == 0
    assert store().remove_drafts(older_than=time.time() + 60) == 1
    assert store().remove_drafts(older_than=time.time() + 60) == 0


def test_bucket_that_is_absent_is_said(s3_address):
    absent = Bucket(bucket.url(s3_address, name="nobody-made-this"))
    for act in (
        lambda: absent.names("a"), lambda: absent.reading("a"), absent.demand_answer,
    ):  # fmt: skip
        with pytest.raises(refusals.StoreRefused, match="no bucket “nobody-made-this”"):
            act()
    with pytest.raises(refusals.StoreRefused, match="no bucket"), absent.writing("a") as out:
        out.write(b"x")


def test_server_that_does_not_answer_is_said_without_secrets(s3_address):
    away = Bucket(bucket.url("http://127.0.0.1:1"))
    with pytest.raises(refusals.StoreRefused, match="does not answer") as refused:
        away.demand_answer()
    assert "only-for-tests" not in str(refused.value)


def test_credentials_that_are_missing_are_said(s3_address, monkeypatch, tmp_path):
    for name in bucket.CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(refusals.StoreRefused, match="No credentials are set"):
        Bucket().demand_answer()


def test_credentials_that_are_wrong_are_said(credentials):
    with bucket.server(INITIAL_NO_AUTH_ACTION_COUNT="1") as address:
        bucket.make_bucket(address)
        refused_one = Bucket(bucket.url(address))
        with pytest.raises(refusals.StoreRefused, match="refuses our credentials") as refused:
            refused_one.demand_answer()
    assert "only-for-tests" not in str(refused.value)


def test_doctor_asks_the_bucket(s3_address, servers):
    def doctor(name):
        found = subprocess.run(
            [sys.executable, "-m", "crm_platform", "doctor"], check=False,
            capture_output=True, text=True,
            env={**environment, "RAPPORT_BACKUP_STORE": bucket.url(s3_address, name=name)},
        )  # fmt: skip
        return found.returncode, found.stdout

    environment = {**_environment(), **servers.variables()}
    good, bad = doctor(bucket.BUCKET), doctor("nobody-made-this")

    assert (good[0], "Store of the backups: answers" in good[1]) == (0, True), good[1]
    assert (bad[0], "There is no bucket" in bad[1]) == (1, True), bad[1]


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([".", "platform"]),
            "DJANGO_SETTINGS_MODULE": "crm_platform.settings"}  # fmt: skip


def test_address_of_a_bucket_names_bucket_prefix_endpoint_and_region():
    place = place_of("s3://keep/a/b/?endpoint=https://s3.example.com&region=eu-west-1")

    assert (place.bucket, place.prefix, place.endpoint) == (
        "keep",
        "a/b/",
        "https://s3.example.com",
    )
    assert place.region == "eu-west-1"
    assert place_of("s3://keep").prefix == ""
    for wrong in ("http://keep", "s3://", "s3:///prefix"):
        with pytest.raises(ValueError, match="must be like"):
            place_of(wrong)
