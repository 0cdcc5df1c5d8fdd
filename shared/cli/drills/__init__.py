"""Breaking a running installation on purpose: what is broken, and what is made of what was seen."""
