"""Set-up of a checkout by the system's own Python, with nothing but its standard library: `python3 -m infra.setup`."""
