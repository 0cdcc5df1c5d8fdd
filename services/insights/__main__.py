"""Run the service: `python -m services.insights`."""

from services.insights.app import Insights
from services.insights.settings import InsightsSettings
from shared.runtime.insights_service import serve

if __name__ == "__main__":
    serve(Insights, InsightsSettings)
