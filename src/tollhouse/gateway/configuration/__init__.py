"""The gateway's configuration: read, checked as a whole, compiled into what a call needs, and read again on change."""
