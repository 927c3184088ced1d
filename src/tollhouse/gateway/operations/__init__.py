"""What operators see of a gateway: metrics, spans and log lines."""
