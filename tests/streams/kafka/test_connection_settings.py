"""The connection to Kafka, from options, environment and file; its secrets are not shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from streams.errors import KafkaSettingError
from streams.kafka.connection import KafkaConnection, SaslLogin, TlsFiles
from streams.kafka.settings.connection_settings import _NAMED, connection_from
from streams.kafka.settings.properties_file import read_properties

SECRET = "s3cret"  # noqa: S105 - made up
LOGIN = {
    "LINEAGE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "LINEAGE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "LINEAGE_KAFKA_SASL_USERNAME": "me",
    "LINEAGE_KAFKA_SASL_PASSWORD": SECRET,
}
JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="'


def file_of(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "client.properties"
    file.write_text(text)
    return file


def of(file: Path | None = None, **variables: str) -> KafkaConnection:
    found = connection_from("kafka:9092", file, "", variables)
    assert found is not None
    return found


def test_without_settings_everybody_is_let_in() -> None:
    assert of() == KafkaConnection("kafka:9092")
    assert of().access() == {"security_protocol": "PLAINTEXT"}


def test_a_broker_can_be_named_in_the_file_or_not_at_all(tmp_path: Path) -> None:
    file = file_of(tmp_path, "bootstrap.servers=here:1")
    found = connection_from(None, file, "eu.", {})
    assert found == KafkaConnection("here:1", topic_prefix="eu.")
    assert connection_from(None, None, "", {"LINEAGE_TOPIC_PREFIX": "eu."}) is None


def test_from_the_environment() -> None:
    found = of(None, **LOGIN, LINEAGE_KAFKA_SSL_CA_LOCATION="/ca.pem", OTHER="x")
    assert found.login == SaslLogin("SCRAM-SHA-512", "me", SECRET)
    assert found.tls == TlsFiles("/ca.pem")
    assert found.security_protocol == "SASL_SSL"


def test_from_a_file_and_the_environment_goes_before_it(tmp_path: Path) -> None:
    file = file_of(
        tmp_path,
        "# Kafka\n! too\n\nsecurity.protocol = ssl\nssl.ca.location: /a b.pem\n"
        "ssl.certificate.location=/c\nssl.key.location=/k\nssl.key.password=a\\=b\\\\ #\n"
        "ssl.endpoint.identification.algorithm=none\nrequest.timeout.ms=\\\n  9000\n",
    )
    found = of(file, LINEAGE_KAFKA_SSL_KEY_LOCATION="/other")
    assert found.tls == TlsFiles("/a b.pem", "/c", "/other", "a=b\\ #", check_hostname=False)
    assert found.client_settings == {"request_timeout_ms": 9000}


@pytest.mark.parametrize("module", ["plain.Plain", "scram.Scram"])
def test_a_login_as_java_s_clients_have_it(tmp_path: Path, module: str) -> None:
    jaas = JAAS.replace("plain.Plain", module) + 'a=b";'
    text = f"security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config={jaas}"
    assert of(file_of(tmp_path, text)).login == SaslLogin("PLAIN", "me", "a=b")


def test_settings_of_the_clients_have_their_types(tmp_path: Path) -> None:
    text = "linger.ms=5\ncheck.crcs=false\ncompression.type=zstd\nclient.id=l\nbatch.size=9"
    assert of(file_of(tmp_path, text)).client_settings == {
        "linger_ms": 5, "check_crcs": False, "compression_type": "zstd", "client_id": "l",
        "batch_size": 9,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sesion.timeout.ms=1", "no client here has a setting sesion.timeout.ms; the nearest is "
         "session.timeout.ms"),
        ("zzz=1", "no client here has a setting zzz"),
        ("session.timeout.ms=s3cret", "session.timeout.ms must be a number"),
        ("check.crcs=s3cret", "check.crcs must be true or false"),
        ("compression.type=s3cret", "must be one of none, gzip, snappy, lz4, zstd"),
        ("group.id=s3cret", "group.id cannot be set: it is given by --group"),
        ("isolation.level=s3cret", "what a producer aborted is never read"),
        ("sasl.pasword=s3cret", "there is no setting sasl.pasword; the nearest is sasl.password"),
        ("ssl.truststore.location=s3cret", "give ssl.ca.location, which is a PEM file"),
        ("sasl.password=s3cret", "sasl.password is given, but security.protocol is PLAINTEXT"),
        ("ssl.ca.location=s3cret", "ssl.ca.location is given, but security.protocol is PLAINTEXT"),
        ("security.protocol=s3cret", "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        ("security.protocol=SASL_SSL", "sasl.mechanism is missing; it must be one of PLAIN, SCRAM"),
        ("security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI", "must be one of PLAIN, SCRAM-SHA-"),
        ("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.password=s3cret",
         "sasl.username is missing, which SASL_SSL needs"),
        ("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nsasl.jaas.config=s3cret",
         "sasl.jaas.config must be of the PlainLoginModule or ScramLoginModule"),
        ("security.protocol=SSL\nssl.key.location=s3cret", "needs ssl.certificate.location"),
        ("security.protocol=SSL\nssl.endpoint.identification.algorithm=s3cret", "https or none"),
        ("s3cret", "line 1: this is no name=value"),
        ("linger.ms=1\n\nlinger.ms=s3cret", "line 3: linger.ms is given twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_no_value(tmp_path: Path, text: str, said: str) -> None:
    file = file_of(tmp_path, text)
    with pytest.raises(KafkaSettingError) as raised:
        of(file)
    assert said in str(raised.value)
    assert SECRET not in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("prefix", ["a b", "ä", "x" * 201, "a/"])
def test_a_prefix_that_kafka_does_not_take(prefix: str) -> None:
    with pytest.raises(KafkaSettingError, match="--topic-prefix"):
        connection_from("kafka:9092", None, prefix, {})


def test_a_variable_that_is_wrong_is_named() -> None:
    with pytest.raises(KafkaSettingError, match="LINEAGE_KAFKA_SASL_USER: there is no setting"):
        of(None, **LOGIN, LINEAGE_KAFKA_SASL_USER="me")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KafkaSettingError, match=r"gone: No such file"):
        read_properties(tmp_path / "gone")


def test_tls_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(KafkaSettingError, match=r"ssl\.ca\.location: .*gone\.pem: No such file"):
        TlsFiles(str(tmp_path / "gone.pem")).context()
    with pytest.raises(KafkaSettingError, match=r"ssl\.ca\.location cannot be used"):
        TlsFiles(str(tmp_path / "no.pem")).context()
    with pytest.raises(KafkaSettingError, match=r"ssl\.certificate\.location or ssl\.key"):
        TlsFiles(certificate=str(tmp_path / "no.pem")).context()


def test_secrets_are_in_no_repr() -> None:
    found = of(None, **LOGIN, LINEAGE_KAFKA_SSL_KEY_PASSWORD="k3y", LINEAGE_KAFKA_SSL_CERTIFICATE_LOCATION="c")  # fmt: skip  # noqa: E501, S106 - made up
    for secret in (SECRET, "me'", "k3y"):
        assert secret not in repr(found) + str(found)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own


def test_every_setting_of_its_own_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "kafka.md").read_text(encoding="utf-8")
    assert [
        name for name in _NAMED if f"| `{name}`" not in text and f", `{name}`" not in text
    ] == []
