"""What changed between two versions of a record, or of a document made of one."""

from trialconv.differences.compare import diff
from trialconv.differences.model import Change, Difference, NotCompared, Part, Piece, Side

__all__ = ["Change", "Difference", "NotCompared", "Part", "Piece", "Side", "diff"]
