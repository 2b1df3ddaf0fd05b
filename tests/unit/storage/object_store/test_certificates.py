"""A store with a certificate of its own: accepted where it is named, and refused in words where it is not."""

import shutil
import subprocess

import pytest

from pixmill.core.errors import AddressError, RunError
from pixmill.storage.open import open_storage
from support.fake_s3 import fake_s3

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is made by openssl")


@pytest.fixture
def certificate(tmp_path):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path / "cert.pem"


@pytest.fixture
def store(certificate, monkeypatch):
    with fake_s3(certificate) as fake:
        for name, value in fake.environment.items():
            monkeypatch.setenv(name, value)
        fake.objects = {"a.jpg": b"hello"}
        yield open_storage


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_that_is_named_is_accepted(store, certificate, monkeypatch, variable):
    monkeypatch.setenv(variable, str(certificate))
    storage = store("s3://photos")
    assert storage.read(b"a.jpg", limit=10) == b"hello"
    assert [entry.path for listing in storage.list() for entry in listing] == [b"a.jpg"]


def test_one_that_is_not_ends_the_run_and_the_certificate_is_named(store):
    storage = store("s3://photos")
    for request in (lambda: storage.read(b"a.jpg", limit=10), lambda: list(storage.list()), lambda: storage.delete(b"a.jpg")):
        with pytest.raises(RunError, match="its certificate is not accepted") as raised:
            request()
        assert "AWS_CA_BUNDLE" in raised.value.hint


def test_a_file_of_certificates_that_is_not_there_is_named(store, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/bundle.pem")
    with pytest.raises(AddressError, match=r"/nowhere/bundle\.pem cannot be read: No such file"):
        store("s3://photos")
