"""Makes the connection to Kafka from options, the environment and a file.

The names are those of librdkafka's clients (and Java's, where they are the same), such as
`sasl.password`; in the environment LINEAGE_KAFKA_SASL_PASSWORD. The environment wins over the file,
an option over both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from streams.errors import KafkaSettingError
from streams.kafka.connection import KafkaConnection, SaslLogin, TlsFiles
from streams.kafka.settings.client_settings import client_settings, nearest
from streams.kafka.settings.properties_file import read_properties

__all__ = ["FILE_VARIABLE", "PREFIX_VARIABLE", "connection_from"]

_VARIABLES = "LINEAGE_KAFKA_"
FILE_VARIABLE = "LINEAGE_KAFKA_CONFIG"
PREFIX_VARIABLE = "LINEAGE_TOPIC_PREFIX"

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SASL = ("sasl.mechanism", "sasl.username", "sasl.password")
_TLS = (
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
)
_NAMED = ("bootstrap.servers", "security.protocol", "sasl.jaas.config", *_SASL, *_TLS)
_ELSEWHERE = {
    "sasl.mechanisms": "sasl.mechanism",
    "ssl.truststore.location": "ssl.ca.location, which is a PEM file",
    "ssl.truststore.certificates": "ssl.ca.location, which is a PEM file",
    "ssl.keystore.location": "ssl.certificate.location and ssl.key.location, which are PEM files",
    "ssl.keystore.password": "ssl.key.password",
    "ssl.cafile": "ssl.ca.location",
    "ssl.certfile": "ssl.certificate.location",
    "ssl.keyfile": "ssl.key.location",
    "ssl.password": "ssl.key.password",
    "sasl.plain.username": "sasl.username",
    "sasl.plain.password": "sasl.password",
}
_JAAS = re.compile(
    r"\s*org\.apache\.kafka\.common\.security\.(?:plain\.Plain|scram\.Scram)LoginModule\s+required"
    r"""\s+username\s*=\s*(?P<q>["'])(?P<username>.*?)(?P=q)"""
    r"""\s+password\s*=\s*(?P<r>["'])(?P<password>.*?)(?P=r)\s*;\s*"""
)
# What Kafka takes in the name of a topic, which with the longest of ours has at most 249.
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,200}")

Given = Mapping[str, tuple[str, str]]
"""By Kafka's name of a setting, its value and where it was given."""


def connection_from(
    bootstrap: str | None = None,
    file: str | os.PathLike[str] | None = None,
    topic_prefix: str = "",
    environment: Mapping[str, str] = os.environ,
) -> KafkaConnection | None:
    """Return the connection, None where no broker is named.

    bootstrap: HOST:PORT, or several with commas; None: the `bootstrap.servers` of environment or
    file. file: a properties file; None: none. Raises KafkaSettingError, which quotes no value.
    """
    given = _given(file, environment)
    bootstrap = bootstrap or given.get("bootstrap.servers", ("", ""))[0]
    if not bootstrap:
        return None
    if not _PREFIX.fullmatch(topic_prefix):
        raise KafkaSettingError(
            f"--topic-prefix or {PREFIX_VARIABLE} must be letters, digits, dots, dashes and "
            "underscores, at most 200"
        )
    protocol = _one_of(_PROTOCOLS, "security.protocol", given, "PLAINTEXT")
    return KafkaConnection(
        bootstrap,
        login=_login(protocol, given),
        tls=_tls(protocol, given),
        topic_prefix=topic_prefix,
        client_settings=client_settings(
            {name: value for name, value in given.items() if name not in _NAMED}
        ),
    )


def _given(file: str | os.PathLike[str] | None, environment: Mapping[str, str]) -> Given:
    given: dict[str, tuple[str, str]] = {}
    if file is not None:
        found = read_properties(Path(file))
        given |= {name: (value, os.fspath(file)) for name, value in found.items()}
    for variable, value in environment.items():
        if variable.startswith(_VARIABLES) and variable != FILE_VARIABLE and value:
            name = variable.removeprefix(_VARIABLES).lower().replace("_", ".")
            given[name] = (value, variable)
    for name, (_, where) in given.items():
        if name in _ELSEWHERE:
            raise KafkaSettingError(f"{where}: {name} is not used here; give {_ELSEWHERE[name]}")
        if name.startswith(("sasl.", "ssl.", "security.")) and name not in _NAMED:
            hint = nearest(name, dict.fromkeys(_NAMED))
            raise KafkaSettingError(f"{where}: there is no setting {name}{hint}")
    return given


def _one_of(allowed: tuple[str, ...], name: str, given: Given, default: str | None) -> str:
    value, where = given.get(name, (default, ""))
    if value is not None and value.upper() in allowed:
        return value.upper()
    missing = f"{name} is missing" if value is None else f"{where}: {name} is not one that is known"
    raise KafkaSettingError(f"{missing}; it must be one of {', '.join(allowed)}")


def _login(protocol: str, given: Given) -> SaslLogin | None:
    names = [name for name in (*_SASL, "sasl.jaas.config") if name in given]
    if not protocol.startswith("SASL_"):
        _refuse(names, given, protocol, "SASL_SSL or SASL_PLAINTEXT")
        return None
    mechanism = _one_of(_MECHANISMS, "sasl.mechanism", given, None)
    if "sasl.jaas.config" in given:
        value, where = given["sasl.jaas.config"]
        found = _JAAS.fullmatch(value)
        if found is None or "sasl.username" in given or "sasl.password" in given:
            raise KafkaSettingError(
                f"{where}: sasl.jaas.config must be of the PlainLoginModule or ScramLoginModule "
                "with username and password, and alone; or give sasl.username and sasl.password"
            )
        return SaslLogin(mechanism, found["username"], found["password"])
    for name in ("sasl.username", "sasl.password"):
        if name not in given:
            raise KafkaSettingError(
                f"{name} is missing, which {protocol} needs; give it in the file of "
                f"--kafka-config or as {_variable(name)}"
            )
    return SaslLogin(mechanism, given["sasl.username"][0], given["sasl.password"][0])


def _tls(protocol: str, given: Given) -> TlsFiles | None:
    names = [name for name in _TLS if name in given]
    if not protocol.endswith("SSL"):
        # Else a password would go out in the clear, where somebody forgot the protocol.
        _refuse(names, given, protocol, "SSL or SASL_SSL")
        return None
    ca, certificate, key, password, algorithm = (given.get(name, ("", ""))[0] for name in _TLS)
    if (key or password) and not certificate:
        raise KafkaSettingError("ssl.key.location needs ssl.certificate.location, too")
    if algorithm.lower() not in ("", "https", "none"):
        raise KafkaSettingError("ssl.endpoint.identification.algorithm must be https or none")
    return TlsFiles(
        ca or None, certificate or None, key or None, password or None, algorithm.lower() != "none"
    )


def _refuse(names: list[str], given: Given, protocol: str, instead: str) -> None:
    if names:
        raise KafkaSettingError(
            f"{given[names[0]][1]}: {names[0]} is given, but security.protocol is {protocol}; it "
            f"should be {instead}"
        )


def _variable(name: str) -> str:
    return _VARIABLES + name.upper().replace(".", "_")
