"""Tollhouse: an open AI gateway and the telemetry lakehouse behind it."""
