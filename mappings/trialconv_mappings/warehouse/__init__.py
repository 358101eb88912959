"""A record as rows of the warehouse's tables: plain dictionaries, a value for every column of the mapping.

`trialconv_mappings.warehouse_tables` says what each column means and where it comes from.
"""
