"""Log segments on disk: the only thing that the gateway and the lakehouse share."""
