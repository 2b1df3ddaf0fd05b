import sys

import pytest

from pixmill.core.errors import AddressError, MissingExtra
from pixmill.storage.address import Address
from pixmill.storage.object_store.aws_profile import aws_profile
from pixmill.storage.object_store.client import bucket_and_prefix, client_options
from pixmill.storage.open import open_storage
from pixmill.storage.schemes.az import from_connection_string
from pixmill.storage.schemes.gs import from_emulator

SECRET = "wJalrXUtnFEMI"  # no secret, and must be treated like one


def test_an_address_names_a_bucket_and_a_prefix():
    assert bucket_and_prefix(Address.parse("s3://photos/2026/may/")) == ("photos", "2026/may")
    assert bucket_and_prefix(Address.parse("gs://photos")) == ("photos", "")
    assert bucket_and_prefix(Address.parse("s3://photos/a b%20c")) == ("photos", "a b%20c")


@pytest.mark.parametrize(
    "location", ["", "/", "/2026", "photos//2026", "photos/../other", f"key:{SECRET}@photos", "photos:9000/2026"]
)
def test_an_address_that_makes_no_sense_is_refused(location):
    with pytest.raises(AddressError) as raised:
        bucket_and_prefix(Address.parse(f"s3://{location}"))
    assert SECRET not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_setting_that_makes_no_sense_is_not_repeated(scheme, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"ht!tp://{SECRET}")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"ht!tp://{SECRET}")
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", f"AccountName=a;AccountKey={SECRET}!;BlobEndpoint=ht!tp://{SECRET}")
    with pytest.raises(AddressError) as raised:
        open_storage(f"{scheme}://photos")
    assert SECRET not in raised.value.message + raised.value.hint + repr(raised.value)


def test_only_an_endpoint_that_says_so_is_talked_to_without_encryption():
    assert client_options("http://127.0.0.1:9000")["allow_http"]
    assert not client_options("https://store.example")["allow_http"]
    assert not client_options("")["allow_http"]


def test_a_profile_gives_keys_region_and_endpoint(tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text(f"[work]\naws_access_key_id = AKIA\naws_secret_access_key = {SECRET}\n")
    (tmp_path / ".aws/config").write_text("[profile work]\nregion = eu-west-1\nendpoint_url = https://store.example\n")
    found = aws_profile({"AWS_PROFILE": "work"}, tmp_path)
    assert found == {
        "access_key_id": "AKIA",
        "secret_access_key": SECRET,
        "region": "eu-west-1",
        "endpoint": "https://store.example",
    }


def test_the_environment_goes_before_a_profile(tmp_path):
    (tmp_path / "credentials").write_text(
        f"[default]\naws_access_key_id = AKIA\naws_secret_access_key = {SECRET}\nregion = eu-west-1\n"
    )
    environment = {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_REGION": "us-east-1",
    }
    assert aws_profile(environment, tmp_path) == {}


def test_a_profile_that_needs_the_aws_tools_says_how_to_export_its_keys(tmp_path):
    (tmp_path / "config").write_text("[profile work]\nsso_session = corp\n")
    with pytest.raises(AddressError) as raised:
        aws_profile({"AWS_PROFILE": "work", "AWS_CONFIG_FILE": str(tmp_path / "config")}, tmp_path)
    assert "aws configure export-credentials --profile work" in raised.value.hint


def test_a_profile_that_is_not_there_is_refused_and_a_broken_file_not_repeated(tmp_path):
    with pytest.raises(AddressError, match="no AWS profile 'gone'"):
        aws_profile({"AWS_PROFILE": "gone"}, tmp_path)
    (tmp_path / "credentials").write_text(f"aws_secret_access_key {SECRET}\n[[")
    with pytest.raises(AddressError) as raised:
        aws_profile({"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}, tmp_path)
    assert SECRET not in raised.value.message


def test_an_emulator_is_named_with_or_without_a_scheme():
    assert from_emulator("127.0.0.1:4443")["base_url"] == "http://127.0.0.1:4443"
    assert from_emulator("https://emulator.example")["base_url"] == "https://emulator.example"
    assert from_emulator("") == {}


def test_a_connection_string_is_read():
    text = f"DefaultEndpointsProtocol=https;AccountName=acc;AccountKey={SECRET}==;EndpointSuffix=core.windows.net"
    assert from_connection_string(text) == {"account_name": "acc", "account_key": f"{SECRET}=="}
    assert from_connection_string("UseDevelopmentStorage=true;") == {"use_emulator": "true"}
    assert from_connection_string("") == {}


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_a_missing_extra_says_what_to_install(scheme, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingExtra) as raised:
        open_storage(f"{scheme}://photos")
    assert raised.value.hint == f"pip install 'pixmill[{scheme}]'"
