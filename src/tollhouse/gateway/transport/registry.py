"""The transports by their names in the configuration."""

from tollhouse.gateway.configuration.document import TransportName
from tollhouse.gateway.transport.interface import Transport


def open_transport(name: TransportName, connect_seconds: float) -> Transport:
    """Within the event loop that is to use it; a library is imported only where it is asked for."""
    if name == "aiohttp":
        from tollhouse.gateway.transport.aiohttp import AiohttpTransport

        return AiohttpTransport(connect_seconds)
    from tollhouse.gateway.transport.sockets import SocketTransport

    return SocketTransport(connect_seconds)
