"""Exchanges JSON over HTTP with one service, on one connection that is kept alive."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import urllib.parse
import urllib.request
import weakref
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from lineage.codec.errors import RegistryError

__all__ = ["Address", "Answer", "RestClient"]

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_PORTS = {"http": 80, "https": 443}
# Characters that stay in a path or query; "%" since they are percent-encoded already.
_AS_IT_IS = "%/:?&=+,;@!$'()*~[]"


@dataclass(frozen=True)
class Address:
    """The address of a service, apart from its secrets.

    shown: scheme, host, port and path, without a slash at the end; safe to be shown. path is in
    front of every path asked for, query (`?` and what follows, or nothing) behind it.
    authorization: the value of the HTTP header, if there is a user or password. ca: the PEM file of
    the authorities that the service's certificate is signed by; None: those of the system.
    """

    scheme: str
    host: str
    port: int
    shown: str
    path: str = ""
    query: str = field(default="", repr=False)
    authorization: str | None = field(default=None, repr=False)
    ca: str | None = None

    @classmethod
    def of(cls, url: str, login: tuple[str, str] | None = None, ca: str | None = None) -> Address:
        """Parse the address that a URL has. Raises RegistryError, which never quotes it.

        login: user and password; None: those in the URL, if any. ca: see the class.
        """
        address = _parsed(url.strip())
        if address is None:
            raise RegistryError(
                "schema registry: the URL must begin with http:// or https:// and a host, such as "
                "http://localhost:8081; what is special in a user or password (/ ? # @ :) is "
                "written as %2F %3F %23 %40 %3A"
            )
        if login is not None:
            both = b":".join(part.encode() for part in login)
            address = replace(address, authorization=_basic(both))
        if ca is not None and address.scheme != "https":
            raise RegistryError("schema registry: a CA file needs a URL that begins with https://")
        return replace(address, ca=ca)


@dataclass(frozen=True)
class Answer:
    """An answer: the status, the parsed JSON (None if it is none), where it redirects to."""

    status: int
    body: object
    location: str | None

    @property
    def phrase(self) -> str:
        """The status in digits and words; the words are the standard's, not the service's."""
        known = {one.value: one.phrase for one in HTTPStatus}
        return f"{self.status} {known.get(self.status, '')}".rstrip()


class RestClient:
    """Asks a service, which has `timeout_seconds` for each step of an answer.

    An answer beyond `answer_bytes_max` is read no further, and counts as something else than JSON.

    Its methods may be called from any thread; one request is made at a time. A proxy is used
    where the environment names one (http_proxy, https_proxy, no_proxy). No redirect is followed,
    so user and password reach no other host.
    """

    def __init__(self, address: Address, timeout_seconds: float, answer_bytes_max: int) -> None:
        self.address = address
        self._timeout = timeout_seconds
        self._answer_bytes_max = answer_bytes_max
        self._lock = threading.Lock()
        self._proxy = _proxy_of(address)
        self._connection = self._unconnected()
        self._finalizer = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Close the connection; the next request opens it anew."""
        with self._lock:
            self._connection.close()

    def ask(self, path: str, body: object = None) -> Answer:
        """GET a path; with a body, which is sent as JSON, POST it.

        Raises RegistryError where nothing answers in time, or something that is not HTTP.
        """
        data = None if body is None else json.dumps(body).encode()
        with self._lock:
            failure = None
            for again in (True, False):
                # A service may close a connection that rested: that says nothing about it.
                kept = self._connection.sock is not None
                try:
                    return self._answer(path, data)
                except (OSError, http.client.HTTPException, ValueError) as error:
                    self._connection.close()
                    failure = error
                if not (again and kept and isinstance(failure, ConnectionError)):
                    break
        raise RegistryError(
            f"schema registry: {self.address.shown} does not answer{self._through()} "
            f"({_why(failure, self._timeout)})"
        )

    def _answer(self, path: str, data: bytes | None) -> Answer:
        connection, target = self._connection, f"{self.address.path}{path}{self.address.query}"
        headers = {"Accept": f"{_MEDIA_TYPE}, application/json"}
        if data is not None:
            headers["Content-Type"] = _MEDIA_TYPE
        if self.address.authorization is not None:
            headers["Authorization"] = self.address.authorization
        if self._proxy is not None and self.address.scheme == "http":
            headers |= _for_proxy(self._proxy)
            target = f"http://{_host_and_port(self.address)}{target}"
        connection.request("GET" if data is None else "POST", target, data, headers)
        response = connection.getresponse()
        limit = self._answer_bytes_max
        text = response.read(limit + 1)
        if not response.isclosed():
            connection.close()  # the rest of it would be taken for the next answer
        return Answer(
            response.status,
            _parsed_json(text) if len(text) <= limit else None,
            response.getheader("Location"),
        )

    def _unconnected(self) -> http.client.HTTPConnection:
        there = self._proxy or self.address
        if self.address.scheme == "http":
            return http.client.HTTPConnection(there.host, there.port, timeout=self._timeout)
        connection = http.client.HTTPSConnection(
            there.host, there.port, timeout=self._timeout, context=_trusting(self.address.ca)
        )
        if self._proxy is not None:
            connection.set_tunnel(self.address.host, self.address.port, _for_proxy(self._proxy))
        return connection

    def _through(self) -> str:
        return f" through the proxy at {self._proxy.shown}" if self._proxy is not None else ""


def _parsed(url: str) -> Address | None:
    """Return the address; None if it is none. An error would quote it."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
        user, password = parts.username, parts.password
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or parts.fragment or any(c <= " " for c in url):
        return None
    try:
        host.encode("idna")
    except UnicodeError:
        return None
    authorization = None
    if user is not None or password is not None:
        both = b":".join(urllib.parse.unquote_to_bytes(part or "") for part in (user, password))
        authorization = _basic(both)
    path = urllib.parse.quote(parts.path.rstrip("/"), _AS_IT_IS)
    query = f"?{urllib.parse.quote(parts.query, _AS_IT_IS)}" if parts.query else ""
    number = _PORTS[parts.scheme] if port is None else port
    name = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{path}"
    return Address(parts.scheme, host, number, shown, path, query, authorization)


def _basic(user_and_password: bytes) -> str:
    return f"Basic {base64.b64encode(user_and_password).decode()}"


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        no_pem = isinstance(error, ssl.SSLError)
        why = "no certificate in PEM form" if no_pem else error.strerror
        raise RegistryError(f"schema registry: LINEAGE_REGISTRY_CA: {ca}: {why}") from error


def _proxy_of(address: Address) -> Address | None:
    """Return the proxy that the environment names for an address."""
    if urllib.request.proxy_bypass(_host_and_port(address)):
        return None
    url = urllib.request.getproxies().get(address.scheme)
    if not url:
        return None
    proxy = _parsed(url if "://" in url else f"http://{url}")
    if proxy is None or proxy.scheme != "http":
        raise RegistryError(
            f"schema registry: the proxy that {address.scheme}_proxy names must be an http:// "
            "address; no_proxy lists hosts that are asked without one"
        )
    return proxy


def _for_proxy(proxy: Address) -> dict[str, str]:
    return {} if proxy.authorization is None else {"Proxy-Authorization": proxy.authorization}


def _host_and_port(address: Address) -> str:
    name = f"[{address.host}]" if ":" in address.host else address.host
    return f"{name}:{address.port}"


def _parsed_json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _why(error: Exception | None, seconds: float) -> str:
    """Say why a request failed, in words that hold nothing of the request."""
    if isinstance(error, TimeoutError):
        return f"nothing came in {seconds:g} s"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closed the connection"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate: {error.verify_message}; LINEAGE_REGISTRY_CA names its authority"
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"it does not speak HTTP: {type(error).__name__}"
