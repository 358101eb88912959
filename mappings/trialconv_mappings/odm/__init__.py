"""A registry record to a CDISC ODM study definition, version 2.0 or 1.3.2.

What the registry says goes to the ODM element that means it. What ODM has no element for becomes a study
parameter, one per value: a `StudyParameter` of ODM 2.0 or, beside ODM 1.3.2, an `sdm:Parameter` of SDM-XML 1.0:

- Parameters of the CDISC trial summary carry their official `Term` and `ShortName` (TSPARM and TSPARMCD).
  Where a parameter repeats, its OID carries the position in the registry's list: `PAR.INDIC.2`.
- Parameters of the registry have the `ShortName` `CTG.` and the field's path below its module, positions
  counted from 1: `CTG.overallStatus`, `CTG.locations.12.status`. The wrappers `designInfo` and `maskingInfo`
  are left out (`CTG.masking`). Modules whose field names say too little alone stand before them
  (`CTG.ipdSharingStatement.description`, `CTG.conditionBrowse.meshes.1.id`). `Term` is the registry's full
  path without positions: `protocolSection.contactsLocationsModule.locations[].status`. They hold the
  registry's words, also where a code stands elsewhere.
- A text that the registry keeps as markdown stands as plain text, in its element or parameter. Where that is
  another string, the registry's own stands in a parameter `CTG. ... .markup` beside it.
- A string with characters that XML cannot hold stands with U+FFFD in their place; the registry's own stands in a
  parameter `CTG. ... .base64`, as UTF-8 in base64.
- What the registry leaves empty and ODM demands is filled in by a rule. A name of the registry that looks as if it
  were filled in stands in its `CTG.` parameter as well.

So the record can be had back from the document; `odm/back` does it.

OIDs are made of a prefix per kind and positions within the study, so that the same record gives the same OIDs:
`ST.` study, `MDV.` metadata version, `PAR.` parameter, `ARM.`, `IND.` indication, `INT.` intervention,
`EP.PRI.`, `EP.SEC.`, `EP.OTH.` end points, `POP.` target population, `CRIT.INCL.`, `CRIT.EXCL.` criteria with
their conditions `COND.INCL.`, `COND.EXCL.`, `ORG.SPONSOR`, `ORG.COLL.`, `ORG.AFF.`
organisations, `USR.` persons, `LOC.` locations.

Code tables `cdisc_*.csv`: the code is the NCI code of the CDISC term; `display` is its submission value, which
ODM carries as the value. In `cdisc_parameter.csv` the source is a TSPARMCD and the display its TSPARM. The
codelist and its effective date, one for a whole table, stand in `cdisc/codelists.py`.

`fields.csv` lists every field of the registry with its home in either version, and in ODM 1.3.2 without SDM-XML,
or the reason for having none.
"""
