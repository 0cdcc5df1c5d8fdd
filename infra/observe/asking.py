"""What panels ask of Prometheus, where many ask alike."""

HERE = 'pipeline=~"$pipeline", stage=~"$stage"'
"""What the reader has chosen."""
ALL = 'pipeline=~"$pipeline"'
"""The same, where one service tells it of all stages."""
NOW = "[$__rate_interval]"
COMES_BACK = 'topic!~".+[.](retry[.].+|parked)"'
"""Topics whose records wait because they should."""


def quantile(share: str, metric: str, by: str, chosen: str = HERE) -> str:
    """A quantile of a histogram."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{chosen}}}{NOW})))"
