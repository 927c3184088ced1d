"""Everything that touches SQL as text."""
