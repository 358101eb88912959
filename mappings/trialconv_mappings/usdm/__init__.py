"""A registry record as a CDISC USDM v4 study definition (https://github.com/cdisc-org/DDF-RA).

- Ids are the class and a count, `StudyArm_1`. Names, which USDM demands and has to be unique, are short ones such
  as `ARM1`; the registry's own words are the labels.
- Codes are those of CDISC terminology with the preferred term as decode. The tables are `usdm_*.csv`, and for the
  words that ODM codes, too, `cdisc_*.csv` with `usdm_preferred_term.csv`.
- What USDM has no attribute for stands in extension attributes, whose url ends in the registry's path:
  `.../usdm/statusModule.overallStatus`. The registry's words stand there also where a code stands elsewhere.
- What USDM demands and the registry does not say comes from `placeholders.py`, and is an Issue.

`fields.csv` lists every field of the registry with its home (`class.attribute`, or the extension attribute), or
the reason for having none.
"""
