"""How every transport tells failures apart, and that none makes it send a request twice."""

import asyncio
import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from raw_provider import Caller, RawProvider, full_port
from transports import OK, each_transport, failure_of, play, post, saying

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Transport, TransportError


@each_transport
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_request_that_may_have_been_read_is_not_sent_again(name: TransportName, end: str) -> None:
    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(OK)
        await caller.request()
        if end == "reset":
            caller.reset()

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        await post(transport, provider)
        with pytest.raises(TransportError) as caught:
            await post(transport, provider, b'{"second": true}')
        assert caught.value.kind == "reset"

    provider = play(name, script, scenario)
    assert [request[-16:] for request in provider.requests[1:]] == [b'{"second": true}']


@each_transport
def test_a_refused_connection_is_no_connection(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for url in ("http://127.0.0.1:1/x", "http://no-such-host.invalid/x", f"https://127.0.0.1:{provider.port}/x"):
            with pytest.raises(TransportError) as caught:
                await transport.send("POST", url, [], b"{}")
            assert (caught.value.kind, caught.value.is_retryable) == ("connect", True)

    play(name, saying(OK), scenario)


@each_transport
def test_connecting_takes_only_so_long(name: TransportName) -> None:
    async def scenario(transport: Transport, _: RawProvider) -> None:
        async with full_port() as port:
            begun = asyncio.get_running_loop().time()
            with pytest.raises(TransportError) as caught:
                await transport.send("POST", f"http://127.0.0.1:{port}/x", [], b"{}")
            assert caught.value.kind == "connect"
            assert 0.9 <= asyncio.get_running_loop().time() - begun < 10

    play(name, saying(OK), scenario)


@each_transport
@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize(
    "head", [b"content-length: 100\r\n\r\npart", b"transfer-encoding: chunked\r\n\r\n4\r\npart\r\n"]
)
def test_a_body_that_breaks_off_is_a_reset(name: TransportName, head: bytes, then: str) -> None:
    assert failure_of(name, b"HTTP/1.1 200 OK\r\n" + head, then=then).kind == "reset"


@each_transport
@pytest.mark.parametrize("then", ["close", "reset"])
def test_no_answer_at_all_is_a_reset(name: TransportName, then: str) -> None:
    assert failure_of(name, then=then).kind == "reset"


@each_transport
def test_what_came_before_a_break_is_read_first(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        reply = await transport.send("POST", f"{provider.url}/x", [], b"{}")
        assert await reply.read() == b"part"
        with pytest.raises(TransportError) as caught:
            await reply.read()
        assert caught.value.kind == "reset"

    play(name, saying(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart", then="close"), scenario)


@each_transport
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02 hello\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\x81\x05hello",
    ],
)
def test_garbage_is_no_http(name: TransportName, garbage: bytes) -> None:
    assert failure_of(name, garbage, then="wait").kind == "protocol"


@each_transport
def test_a_head_without_an_end_is_no_http(name: TransportName) -> None:
    async def script(caller: Caller) -> None:
        await caller.request()
        await caller.say(b"HTTP/1.1 200 OK\r\n")
        while True:
            await caller.say(b"x-more: " + b"y" * 1000 + b"\r\n")

    async def scenario(transport: Transport, provider: RawProvider) -> None:
        with pytest.raises(TransportError) as caught:
            await post(transport, provider)
        assert caught.value.kind == "protocol"

    play(name, script, scenario)


@each_transport
def test_a_request_that_cannot_be_written_is_not_sent(name: TransportName) -> None:
    async def scenario(transport: Transport, provider: RawProvider) -> None:
        for url, headers in [
            (f"{provider.url}/x", [("x-bad", "a\r\nx-worse: b")]),
            (f"{provider.url}/x y", []),
            ("ftp://127.0.0.1/x", []),
            ("http://[::1/x", []),
            ("nowhere", []),
        ]:
            with pytest.raises(TransportError) as caught:
                await transport.send("POST", url, headers, b"{}")
            assert caught.value.kind == "protocol"

    assert play(name, saying(OK), scenario).requests == []


def _signed(
    name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
) -> bytes:
    """A certificate (PEM) of a day, issued by ``authority``."""
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=12)).not_valid_after(now + dt.timedelta(hours=12))
    return builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A store with one authority; ``provider.pem`` beside it is a certificate of 127.0.0.1 and its key."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "provider.pem").write_bytes(_signed("provider", key, root, address) + private)
    store = tmp_path / "authority.pem"
    store.write_bytes(_signed("authority", root, root, x509.BasicConstraints(ca=True, path_length=None)))
    return store


@each_transport
def test_a_certificate_is_checked_against_the_systems_store(
    name: TransportName, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(authority.with_name("provider.pem"))

    async def refused(transport: Transport, provider: RawProvider) -> None:
        with pytest.raises(TransportError) as caught:
            await post(transport, provider)
        assert caught.value.kind == "connect"

    async def trusted(transport: Transport, provider: RawProvider) -> None:
        for _ in range(3):
            _, body = await post(transport, provider)
            assert body == b"ok"
        assert provider.connections == 1

    assert play(name, saying(OK), refused, tls).requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    play(name, saying(OK), trusted, tls)
