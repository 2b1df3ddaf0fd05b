import pytest

from pixmill.core.errors import ReadError, RunError, WriteError
from pixmill.storage.object_store.errors import list_error, read_error, write_error

SECRET = "AKIAHOSTILE/wJalrXUtnFEMI"  # no secret, and must be treated like one
PLACE = "s3://photos/2026"


def answered(status, code="", kind=Exception):
    return kind(
        f"Generic S3 error: Error performing GET http://user:{SECRET}@store/photos/a.jpg?X-Amz-Signature={SECRET}&sig={SECRET} in"
        f" 2ms"
        f" - Server returned non-2xx status code: {status} Something: <Error><Code>{code}</Code><Message>{SECRET}</Message>"
        f"<StringToSign>{SECRET}</StringToSign></Error>\n\nDebug source:\nGeneric {{ headers: {SECRET} }}"
    )


@pytest.mark.parametrize("meaning", [read_error, write_error, list_error])
@pytest.mark.parametrize("status", [0, 301, 400, 401, 403, 404, 408, 412, 429, 500, 503, 507])
@pytest.mark.parametrize("code", ["SlowDown", "SignatureDoesNotMatch", "NoSuchBucket", "Hostile" + "x" * 100, f"</Code>{SECRET}"])
def test_nothing_that_a_store_says_about_credentials_is_passed_on(meaning, status, code):
    error = meaning(answered(status, code), b"a.jpg", PLACE)
    assert "AKIA" not in error.message + error.hint + repr(error.args)
    assert "wJalr" not in error.message + error.hint + repr(error.args)


def test_a_store_that_asks_for_fewer_requests_is_throttling():
    for error in (answered(503, "SlowDown"), answered(429), answered(400, "RequestLimitExceeded")):
        translated = read_error(error, b"a.jpg", PLACE)
        assert (type(translated), translated.code, translated.retryable) == (ReadError, "throttled", True)
        assert write_error(error, b"a.jpg", PLACE).code == "throttled"


def test_a_key_that_is_refused_stops_the_run_and_a_forbidden_object_does_not():
    assert isinstance(read_error(answered(403, "InvalidAccessKeyId"), b"a.jpg", PLACE), RunError)
    error = read_error(answered(403, "AccessDenied"), b"a.jpg", PLACE)
    assert (type(error), error.code) == (ReadError, "read-denied")


def test_a_part_of_a_store_that_may_not_be_written_or_listed_stops_nothing_else():
    error = write_error(answered(403, "AccessDenied"), b"a.jpg", PLACE)
    assert (type(error), error.code, error.retryable) == (WriteError, "write-denied", False)
    error = list_error(answered(403, "AccessDenied"), b"folder", PLACE)
    assert (type(error), error.code, error.retryable) == (ReadError, "read-denied", False)


def test_a_store_that_may_not_be_written_or_listed_stops_the_run():
    assert write_error(answered(401), b"a.jpg", PLACE).code == "not-writable"
    assert list_error(answered(403, "AccessDenied"), b"", PLACE).code == "not-readable"
    assert write_error(answered(507), b"a.jpg", PLACE).code == "disk-full"


def test_an_object_that_is_gone_is_no_fault_of_the_store():
    error = read_error(answered(404, "NoSuchKey", FileNotFoundError), b"a.jpg", PLACE)
    assert (error.code, error.retryable) == ("read-vanished", False)
    assert isinstance(read_error(answered(404, "NoSuchBucket", FileNotFoundError), b"a.jpg", PLACE), RunError)


def test_a_connection_that_broke_is_worth_another_try():
    error = write_error(Exception("HTTP error: error sending request\nDebug source: kind: Connect,"), b"a.jpg", PLACE)
    assert (type(error), error.retryable) == (WriteError, True)
    assert "connect" in error.message
