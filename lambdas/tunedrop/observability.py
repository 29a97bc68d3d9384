"""The functions' logger and metrics; both read POWERTOOLS_* variables and never hold rows or secrets."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit, single_metric

logger = Logger(use_rfc3339=True, utc=True)
metrics = Metrics()

# The library's modules log through the standard library: their lines get the same form, and the job's id with it.
logging.getLogger("tunedrop")
copy_config_to_registered_loggers(source_logger=logger, include={"tunedrop"})


def count(name: str, **dimensions: str) -> None:
    """Counts one, at once, whatever becomes of the function's call."""
    with single_metric(name=name, unit=MetricUnit.Count, value=1) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(name=dimension, value=value)
