"""Describes the connection to Kafka: one value, passed to everything that connects.

It is made from options, environment and a file by `connection_settings`. What is secret in it is in
no repr and no message.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from streams.errors import BrokerUnavailableError, KafkaSettingError

__all__ = ["KafkaConnection", "SaslLogin", "TlsFiles", "check_bootstrap"]

_ADDRESS = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s:,/\[\]]+):(?P<port>[0-9]{1,5})")

# At its lower levels this logger writes what is sent, passwords among it.
logging.getLogger("aiokafka.conn").setLevel(logging.WARNING)


@dataclass(frozen=True)
class SaslLogin:
    """A user and password, and how they are sent: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""

    mechanism: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class TlsFiles:
    """The PEM files of a TLS connection.

    ca: certificates of the authorities that a broker's is signed by (None: those of the system).
    certificate, key: of this client, where the broker asks for one; the key may be in the file of
    the certificate. check_hostname: whether the broker's certificate must name its host.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """Read the files. Raises KafkaSettingError, which names the file."""
        with _explained("ssl.ca.location", self.ca):
            context = ssl.create_default_context(cafile=self.ca)
        context.check_hostname = self.check_hostname
        if self.certificate is not None:
            with _explained("ssl.certificate.location or ssl.key.location", self.key):
                # A password that is not given must not be asked for on the terminal.
                context.load_cert_chain(self.certificate, self.key, lambda: self.key_password or "")
        return context


@dataclass(frozen=True)
class KafkaConnection:
    """Where Kafka is, how to be let in, and what is in front of the names of our topics.

    bootstrap: HOST:PORT, or several with commas. login: None where the broker asks for none. tls:
    None where the connection is not encrypted. client_settings: of the clients, by their names in
    Python.
    """

    bootstrap: str
    login: SaslLogin | None = None
    tls: TlsFiles | None = None
    topic_prefix: str = ""
    client_settings: Mapping[str, object] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, broker: KafkaConnection | str) -> KafkaConnection:
        """Return the connection to a broker; HOST:PORT is one that lets everybody in."""
        return broker if isinstance(broker, KafkaConnection) else cls(broker)

    def __str__(self) -> str:
        return self.bootstrap

    @cached_property
    def addresses(self) -> list[str]:
        """Return the HOST:PORT entries; raises BrokerUnavailableError where one is none."""
        return check_bootstrap(self.bootstrap)

    @property
    def security_protocol(self) -> str:
        """Kafka's name for what the connection goes through."""
        transport = "PLAINTEXT" if self.tls is None else "SSL"
        return transport if self.login is None else f"SASL_{transport}"

    def topic(self, name: str) -> str:
        """Return the name in Kafka of one of our topics."""
        return f"{self.topic_prefix}{name}"

    def topics(self, names: Collection[str]) -> tuple[str, ...]:
        """Return the names in Kafka of some of our topics."""
        return tuple(map(self.topic, names))

    def access(self) -> dict[str, Any]:
        """Return the arguments by which every client is let in; files are read anew."""
        access: dict[str, Any] = {"security_protocol": self.security_protocol}
        if self.tls is not None:
            access["ssl_context"] = self.tls.context()
        if self.login is not None:
            access["sasl_mechanism"] = self.login.mechanism
            access["sasl_plain_username"] = self.login.username
            access["sasl_plain_password"] = self.login.password
        return access

    def settings_for(self, known: Collection[str]) -> dict[str, object]:
        """Return those of the settings that a client knows."""
        return {name: value for name, value in self.client_settings.items() if name in known}

    def arguments(self, client: type[Any], **ours: object) -> dict[str, Any]:
        """Return the arguments of a client of kafka-python; given settings win over ours."""
        return {
            "bootstrap_servers": self.addresses,
            **ours,
            **self.settings_for(client.DEFAULT_CONFIG),
            **self.access(),
        }


def check_bootstrap(bootstrap: str) -> list[str]:
    """Return the HOST:PORT entries of a comma-separated list.

    Raises BrokerUnavailableError where one is not HOST:PORT.
    """
    addresses = [part.strip() for part in bootstrap.split(",")]
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise BrokerUnavailableError(bootstrap[:200] or "''", "that is not HOST:PORT")
    return addresses


@contextmanager
def _explained(setting: str, file: str | None) -> Iterator[None]:
    try:
        yield
    except ssl.SSLError as error:  # an OSError, too, whose text is OpenSSL's
        raise KafkaSettingError(
            f"{setting} cannot be used ({error.reason or 'not as a PEM file'}); each must be a PEM "
            "file, and ssl.key.password the key's, if it has one"
        ) from error
    except OSError as error:
        raise KafkaSettingError(f"{setting}: {error.filename or file}: {error.strerror}") from error
