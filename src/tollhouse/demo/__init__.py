"""The demo: seeded traffic in the shape of real one."""
