"""A Kafka with listeners that ask for passwords and certificates, beside one that asks for none."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from streams.broker import LocalBroker
from streams.kafka.admin import admin_client

USER = "lineage-user"
PASSWORD = 'p4ss \\ "word'  # noqa: S105 - made up, with what a properties file escapes
KEY_PASSWORD = "k3y-passphrase"  # noqa: S105 - made for this test
SECRETS = (USER, PASSWORD, KEY_PASSWORD)

_LISTENERS = """
listeners=BROKER://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller_port,{own}
advertised.listeners=BROKER://127.0.0.1:$port,{own}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL,\
CLEAR:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.tls.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:CN=client
"""
_SASL = """
listener.name.{name}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.{name}.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.{name}.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.{name}.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class SecuredKafka:
    """Addresses of one broker: `open` asks for nothing, `tls` for a client certificate, `login` for
    a password through TLS, `clear` for one without. `folder` has the PEM files.
    """

    folder: Path
    open: str
    tls: str
    login: str
    clear: str

    def file(self, name: str) -> str:
        return str(self.folder / name)


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """Run it; its data and certificates are in the folder."""
    make_certificates(folder)
    ports = {name: _free_port() for name in ("TLS", "LOGIN", "CLEAR")}
    own = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    # Twice: a properties file's escapes around those of the login module.
    password = PASSWORD.replace("\\", "\\\\").replace('"', '\\"').replace("\\", "\\\\")
    properties = _LISTENERS.format(own=own, folder=folder) + "".join(
        _SASL.format(name=name, user=USER, password=password) for name in ("login", "clear")
    )
    with LocalBroker(folder / "kafka", properties=properties) as broker:
        with admin_client(broker.bootstrap) as admin:
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                login = UserScramCredentialUpsertion(USER, mechanism, PASSWORD, iterations=4096)
                failed = admin.alter_user_scram_credentials([login])
                assert not any(failed.values()), failed
        addresses = {name.lower(): f"127.0.0.1:{port}" for name, port in ports.items()}
        yield SecuredKafka(folder, broker.bootstrap, **addresses)


def allow(broker: str, kind: str, prefix: str, *operations: str) -> None:
    """Let USER do operations on the topics or groups whose names begin so; it may nothing else."""
    pattern = ResourcePattern(ResourceType[kind], prefix, ACLResourcePatternType.PREFIXED)
    rules = [
        ACL(f"User:{USER}", "*", ACLOperation[operation], ACLPermissionType.ALLOW, pattern)
        for operation in operations
    ]
    with admin_client(broker) as admin:
        admin.create_acls(rules)


def make_certificates(folder: Path) -> None:
    """Make PEM files: ca, broker (key and certificate), client and its encrypted key, expired,
    and other-ca with other, which the broker does not know.
    """
    for ca in ("ca", "other-ca"):
        _openssl(
            folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", f"/CN={ca}", "-keyout", f"{ca}.key", "-out", f"{ca}.pem",
        )  # fmt: skip
    for name, ca, days in (
        ("broker", "ca", 2), ("client", "ca", 2), ("expired", "ca", 0), ("other", "other-ca", 2),
    ):  # fmt: skip
        _openssl(
            folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1\n")
        _openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
            "-CAcreateserial", "-days", str(days), "-extfile", "extensions", "-out", f"{name}.crt",
        )  # fmt: skip
        both = (folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text()
        (folder / f"{name}.pem").write_text(both)
    _openssl(
        folder, "pkcs8", "-topk8", "-in", "client.key", "-out", "client-encrypted.key",
        "-passout", f"pass:{KEY_PASSWORD}",
    )  # fmt: skip


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)  # noqa: S607 -- the one on the PATH


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
