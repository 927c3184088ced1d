"""Calling a provider over HTTP, by one of two libraries behind one small interface."""
