"""Log formats: framing files into records, and strict JSON."""
