"""Tollhouse: an open AI gateway and the telemetry lakehouse behind it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollhouse.lake.lakehouse import Lakehouse

__all__ = ["Lakehouse"]


def __getattr__(name: str) -> Any:
    """Imports ``Lakehouse`` when it is first asked for: `tollhouse --help` should not wait for the engines."""
    if name == "Lakehouse":
        from tollhouse.lake.lakehouse import Lakehouse

        return Lakehouse
    raise AttributeError(f"module 'tollhouse' has no attribute {name!r}")
