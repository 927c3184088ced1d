"""What the gateway's own settings must keep beyond their types."""

from ipaddress import IPv6Address, ip_address, ip_network

from tollhouse.gateway.configuration.document import Gateway
from tollhouse.gateway.configuration.findings import Findings, YamlPath, shown
from tollhouse.gateway.configuration.places import Places
from tollhouse.gateway.configuration.urls import ALLOWED, fault_of_url

_EVERY_ADDRESS = {str(ip_address(0)), str(IPv6Address(0))}
LEAST_PEPPER_BYTES = 32


class ServerRules:
    """Checks addresses and networks."""

    def __init__(self, places: Places, findings: Findings) -> None:
        self._places = places
        self._findings = findings

    def check(self, document: Gateway) -> None:
        self._check_listeners(document)
        self._check_proxies(document)
        endpoint = document.tracing.otlp_endpoint
        fault = None if endpoint is None else fault_of_url(endpoint)
        if fault is not None:
            self._add(("gateway", "tracing", "otlp_endpoint"), fault, ALLOWED)

    def check_pepper(self, pepper: bytes) -> None:
        if len(pepper) < LEAST_PEPPER_BYTES:
            found = f"a pepper of {len(pepper)} bytes"
            self._add(("gateway", "identity", "pepper"), found, f"{LEAST_PEPPER_BYTES} bytes or more")

    def _check_listeners(self, document: Gateway) -> None:
        clients, operators = document.listen, document.admin
        hosts = {clients.host, operators.host}
        if clients.port and clients.port == operators.port and (len(hosts) == 1 or hosts & _EVERY_ADDRESS):
            found = f"port {operators.port}, which gateway.listen has"
            self._add(("gateway", "admin", "port"), found, "another port")

    def _check_proxies(self, document: Gateway) -> None:
        for position, text in enumerate(document.trusted_proxies):
            try:
                ip_network(text)
            except ValueError:
                permitted = "an IP address or a network such as 10.0.0.0/8, without bits beyond its length"
                index = self._places.index(document.trusted_proxies, position)
                self._add(("gateway", "trusted_proxies", index), shown(text), permitted)

    def _add(self, path: YamlPath, found: str, permitted: str) -> None:
        self._findings.add(self._places.line(path), path, found, permitted)
