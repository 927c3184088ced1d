"""OpenAI Chat Completions, Azure's too."""
