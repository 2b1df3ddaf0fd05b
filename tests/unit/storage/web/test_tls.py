"""The certificates of servers are verified."""

import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pixmill.core.errors import ReadError
from pixmill.storage.open import open_storage

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="a certificate is made by openssl")


class WorkerConfig(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def certificate(tmp_path):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return tmp_path / "cert.pem"


@pytest.fixture
def port(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with HTTPServer(("127.0.0.1", 0), WorkerConfig) as server:
        server.handle_error = lambda *_: None  # a client that hangs up is what the tests want
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_certificate_that_is_trusted_and_for_this_host_is_enough(port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert open_storage(f"https://localhost:{port}#private=1").read(b"a.jpg", limit=10) == b"hello"


@pytest.mark.parametrize(("host", "is_trusted"), [("localhost", False), ("127.0.0.1", True)])
def test_an_untrusted_certificate_or_one_for_another_host_is_refused(port, certificate, monkeypatch, host, is_trusted):
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(ReadError, match="certificate is not valid") as raised:
        open_storage(f"https://{host}:{port}#private=1").read(b"a.jpg", limit=10)
    assert (raised.value.code, raised.value.retryable) == ("read-host", False)
