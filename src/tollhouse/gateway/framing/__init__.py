"""Cutting a response's bytes into framed events that keep their raw bytes."""
