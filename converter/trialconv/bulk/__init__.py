"""Converting a whole registry: in shards, over all cores, and again from where it was interrupted."""

from __future__ import annotations

from trialconv.bulk.job import LAYOUTS, Job, RunReport
from trialconv.bulk.run import run

__all__ = ["LAYOUTS", "Job", "RunReport", "run"]
