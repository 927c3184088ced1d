"""The gateway: a reverse proxy before model providers that logs every call completely into the spool."""
