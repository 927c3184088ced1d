"""From one family's protocol to another's, through one intermediate form: two halves a protocol."""
