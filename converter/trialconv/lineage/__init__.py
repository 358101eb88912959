"""Where values come from: the verbs by which a value passes from a record into a document, and what they watch.

A mapping copies a value as it stands, or passes it through one of these verbs. In a usual conversion they do what
they say and nothing else. In a traced one the values of the record carry their origin, and the verbs hand it on: a
mapping itself reports nothing.
"""

from trialconv.lineage.remembering import at_once, remembered
from trialconv.lineage.values import TRACING
from trialconv.lineage.verbs import (
    TRUTH,
    as_json,
    checked_date,
    checked_link,
    code,
    counted,
    derived,
    derived_each,
    distinct,
    filled,
    is_date,
    join,
    joined,
    looked_up,
    numbered,
    parsed,
    plain,
    substituted,
    taken_apart,
)

__all__ = [
    "TRACING",
    "TRUTH",
    "as_json",
    "at_once",
    "checked_date",
    "checked_link",
    "code",
    "counted",
    "derived",
    "derived_each",
    "distinct",
    "filled",
    "is_date",
    "join",
    "joined",
    "looked_up",
    "numbered",
    "parsed",
    "plain",
    "remembered",
    "substituted",
    "taken_apart",
]
