"""Lineage: where each value of a document comes from, and where each value of a record went.

A trace is a second run of the same pure mapping over the same record, whose values know their paths
(`trialconv.lineage`). Its document is walked together with the one that is written, which is made without it.
"""
