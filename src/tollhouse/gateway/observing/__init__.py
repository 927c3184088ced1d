"""What a response says: its message, usage, end and errors, read beside the bytes as they pass."""
