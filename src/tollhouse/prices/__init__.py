"""Prices: list prices with their effective dates, and a user's own."""
