"""`python -m infra.observe`: write the dashboards as Grafana reads them."""

from infra.observe.dashboards import DASHBOARDS
from infra.observe.panels import GRAFANA, written

if __name__ == "__main__":
    for dashboard in DASHBOARDS:
        (GRAFANA / f"{dashboard.uid}.json").write_text(written(dashboard), "utf-8")
        print(GRAFANA / f"{dashboard.uid}.json")
