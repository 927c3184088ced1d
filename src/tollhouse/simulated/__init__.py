"""Simulated model providers: a server of its own, which knows nothing of the gateway that is tried against it."""
