"""Anthropic Messages: the caller's and the provider's half."""
