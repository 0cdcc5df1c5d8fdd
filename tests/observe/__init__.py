"""Dashboards and alert rules against what services export."""
