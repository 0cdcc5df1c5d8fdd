"""The dashboards: what runs and what fails, whom the models answer, what it costs."""

from infra.observe.about_cost import COST
from infra.observe.about_models import MODELS
from infra.observe.about_pipeline import PIPELINE

DASHBOARDS = (PIPELINE, MODELS, COST)
"""All of them."""
