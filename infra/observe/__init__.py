"""What watches an installation from outside: Grafana's dashboards, Prometheus' scrape settings and alert rules.

python -m infra.observe     writes grafana/*.json anew from dashboards.py

Every expression uses names of `shared.observe.names`, which the tests hold against what live services export.
"""
