"""The worker's connection pools: one for each time limit of connecting that endpoints have."""

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Transport
from tollhouse.gateway.transport.registry import open_transport


class Transports:
    """Opens a transport the first time that an endpoint's limit asks for one."""

    def __init__(self, name: TransportName) -> None:
        self._name: TransportName = name
        self._open: dict[float, Transport] = {}

    def within(self, connect_seconds: float) -> Transport:
        """The transport whose connections are made within ``connect_seconds``."""
        transport = self._open.get(connect_seconds)
        if transport is None:
            transport = self._open[connect_seconds] = open_transport(self._name, connect_seconds)
        return transport

    async def close(self) -> None:
        """Close every connection."""
        for transport in self._open.values():
            await transport.close()
