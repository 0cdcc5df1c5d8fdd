"""Webhooks at the edge: the file in which the operator names them, and the requests that are sent to them."""
