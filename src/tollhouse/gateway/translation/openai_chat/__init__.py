"""Chat Completions, from the caller's and from the provider's side."""
