"""Who calls: virtual keys, principals and teams."""
