"""Calling a provider over HTTP, in one of two ways behind one small interface."""
