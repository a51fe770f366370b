"""User, password and certificates of a schema registry, from the environment."""

from __future__ import annotations

import pickle
import ssl
from pathlib import Path

import pytest

from lineage import codec
from lineage.codec.errors import RegistryError
from streams.kafka.registry.client import HttpRegistry, registry_at, registry_from
from tests.registry_service import RegistryService
from tests.streams.secured_kafka import make_certificates

USER, PASSWORD = "registry-user", "p4ss:w/rd"
LOGIN = {"LINEAGE_REGISTRY_USER": USER, "LINEAGE_REGISTRY_PASSWORD": PASSWORD}


def test_the_environment_goes_before_the_url() -> None:
    with RegistryService(credentials=(USER, PASSWORD)) as service:
        url = service.url.replace("http://", "http://other:one@")
        address = registry_from(url, LOGIN)
        assert address is not None
        assert HttpRegistry(address).subjects() == frozenset()
        for secret in (USER, PASSWORD, "other"):
            assert secret not in repr(address) + str(HttpRegistry(address))
        # The decoder's process gets it, too.
        assert HttpRegistry(pickle.loads(pickle.dumps(address))).subjects() == frozenset()  # noqa: S301 - our own


def test_without_a_url_there_is_none() -> None:
    assert registry_from(None, LOGIN) is None
    assert registry_from("", LOGIN) is None


def test_a_password_without_a_user_is_said() -> None:
    alone = {"LINEAGE_REGISTRY_PASSWORD": PASSWORD}
    with pytest.raises(RegistryError, match="needs LINEAGE_REGISTRY_USER") as raised:
        registry_from("http://here:1", alone)
    assert PASSWORD not in str(raised.value)


def test_subjects_have_the_prefix_of_the_topics() -> None:
    with RegistryService() as service:
        registry_at(service.url, subject_prefix="eu.").id_of(codec.CONSENT_CHANGED)
        assert list(service.subjects) == ["eu.messaging.consent.changed.v1-value"]


def test_its_certificate_is_checked_by_the_authority_given(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "broker.pem")
    with RegistryService(tls=context) as service:
        url = service.url.replace("http://", "https://")
        ca = {"LINEAGE_REGISTRY_CA": str(tmp_path / "ca.pem")}
        assert HttpRegistry(registry_from(url, ca) or "").subjects() == frozenset()
        for wrong in ({}, {"LINEAGE_REGISTRY_CA": str(tmp_path / "other-ca.pem")}):
            registry = HttpRegistry(registry_from(url, wrong) or "")
            with pytest.raises(RegistryError, match="LINEAGE_REGISTRY_CA names its authority"):
                registry.subjects()


def test_a_ca_file_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nothing")
    for file, said in (("gone.pem", "No such file"), ("no.pem", "no certificate in PEM form")):
        address = registry_from("https://here:1", {"LINEAGE_REGISTRY_CA": str(tmp_path / file)})
        assert address is not None
        with pytest.raises(RegistryError, match=f"LINEAGE_REGISTRY_CA: .*{file}: {said}"):
            HttpRegistry(address)
    with pytest.raises(RegistryError, match="a CA file needs a URL that begins with https://"):
        registry_from("http://here:1", {"LINEAGE_REGISTRY_CA": "ca.pem"})
