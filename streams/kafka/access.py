"""Finds out why a broker does not let a client in.

Kafka's clients try again until their time is over, and then say only that there is no broker. So
the way in is tried once, step by step, before a client is made.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from aiokafka.conn import create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.errors import causes
from streams.kafka.connection import KafkaConnection
from streams.kafka.limits import KAFKA_LIMITS, KafkaLimits

__all__ = ["Refusal", "refusal"]

# Alerts of TLS by which the other side says that our certificate will not do.
_ABOUT_OUR_CERTIFICATE = (
    "BAD_CERTIFICATE", "CERTIFICATE_EXPIRED", "CERTIFICATE_REQUIRED", "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN", "HANDSHAKE_FAILURE", "UNKNOWN_CA", "UNSUPPORTED_CERTIFICATE",
)  # fmt: skip
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64  # X509_V_ERR_ of OpenSSL


@dataclass(frozen=True)
class Refusal:
    """The reason for which a broker does not let us in; not `certain` where it only hung up."""

    why: str
    certain: bool = True


def refusal(connection: KafkaConnection, limits: KafkaLimits = KAFKA_LIMITS) -> Refusal | None:
    """Return why the first broker that answers does not let this client in.

    None where it does, and where nothing answers within `access_seconds_max`. Raises
    KafkaSettingError, and BrokerUnavailableError for an address that is none.
    """
    access = connection.access()
    with ThreadPoolExecutor(1) as thread:  # the caller may have an event loop of its own
        return thread.submit(asyncio.run, _refusal(connection, access, limits)).result()


async def _refusal(
    connection: KafkaConnection, access: dict[str, object], limits: KafkaLimits
) -> Refusal | None:
    for address in connection.addresses:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        with suppress(TimeoutError):
            async with asyncio.timeout(limits.access_seconds_max):
                try:
                    await _enter(host, int(port), access)
                except ConnectionRefusedError:
                    continue
                except (OSError, EOFError, KafkaError) as error:
                    return await _explained(error, connection, host, int(port))
                return None
    return None


async def _enter(host: str, port: int, access: dict[str, object]) -> None:
    """Connect as a client does, and ask for something."""
    broker = await create_conn(host, port, client_id="lineage-access", **access)
    try:
        # A listener that wants a password hangs up only now.
        await broker.send(MetadataRequest([]))
    finally:
        broker.close()


async def _explained(
    error: BaseException, connection: KafkaConnection, host: str, port: int
) -> Refusal | None:
    for cause in causes(error):
        for found in _reasons(cause, connection):
            return found
    if not any(
        isinstance(cause, (ConnectionError, EOFError, KafkaError)) for cause in causes(error)
    ):
        return None  # no route, no such host: nothing answers
    encrypted = await _speaks_tls(host, port)
    if connection.tls is not None and not encrypted:
        return Refusal(
            "it hung up on TLS; where its port speaks none, security.protocol is PLAINTEXT or "
            "SASL_PLAINTEXT",
            certain=False,
        )
    if connection.tls is None and encrypted:
        return Refusal("its port speaks TLS; set security.protocol to SSL or SASL_SSL")
    if connection.login is None:
        return Refusal(
            "it hung up; where it wants a user and password, set security.protocol to "
            f"{'SASL_SSL' if encrypted else 'SASL_PLAINTEXT'}",
            certain=False,
        )
    return Refusal("it hung up", certain=False)


def _reasons(error: BaseException, connection: KafkaConnection) -> Iterator[Refusal]:
    if isinstance(error, SaslAuthenticationFailed):
        yield Refusal("the user or password is not accepted (sasl.username, sasl.password)")
    elif isinstance(error, UnsupportedSaslMechanismError):
        mechanism = connection.login.mechanism if connection.login else None
        yield Refusal(f"it does not take SASL {mechanism}; set another sasl.mechanism")
    elif isinstance(error, IllegalSaslStateError):
        yield Refusal("it asks for no password; set security.protocol to PLAINTEXT or SSL")
    elif isinstance(error, ssl.SSLCertVerificationError):
        yield Refusal(_about_its_certificate(error, connection))
    elif isinstance(error, ssl.SSLError) and error.reason:
        if any(alert in error.reason for alert in _ABOUT_OUR_CERTIFICATE):
            yield Refusal(_about_our_certificate(error.reason, connection))
        elif "WRONG_VERSION_NUMBER" in error.reason or "RECORD_LAYER" in error.reason:
            yield Refusal(
                "its port speaks no TLS; security.protocol is PLAINTEXT or SASL_PLAINTEXT"
            )


def _about_its_certificate(error: ssl.SSLCertVerificationError, connection: KafkaConnection) -> str:
    if error.verify_code == _EXPIRED:
        return "its certificate has expired"
    if error.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
        return (
            "its certificate is of another host; give the address that is in it, or set "
            "ssl.endpoint.identification.algorithm=none"
        )
    ca = connection.tls.ca if connection.tls else None
    return (
        f"its certificate is of no authority in {ca or 'the list of this system'} "
        f"({error.verify_message}); give that authority's as ssl.ca.location"
    )


def _about_our_certificate(reason: str, connection: KafkaConnection) -> str:
    alert = reason.lower().replace("_", " ")
    certificate = connection.tls.certificate if connection.tls else None
    if certificate is None:
        return (
            f"it asks for a client certificate ({alert}); give one as ssl.certificate.location "
            "and ssl.key.location"
        )
    return (
        f"it does not accept the certificate in {certificate} ({alert}): it has expired, or is of "
        "an authority that the broker does not know"
    )


async def _speaks_tls(host: str, port: int) -> bool:
    # Nothing is sent through it: all that is asked is what the port speaks.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    except OSError:
        return False
    writer.close()
    return True
