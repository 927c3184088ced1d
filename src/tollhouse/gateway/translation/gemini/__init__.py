"""Gemini generateContent: the caller's and the provider's half."""
