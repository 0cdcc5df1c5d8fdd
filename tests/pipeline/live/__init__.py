"""A running installation for the tests beside this folder."""
