"""A registry record to the trial design datasets TS and TI of CDISC SDTM, with the Define-XML that describes them.

The datasets are those of SDTMIG 3.4, section 7.4 (https://www.cdisc.org/standards/foundational/sdtmig). TA, TE
and TV are not made: elements, the rules by which they begin and visits have no source in a registry.

TS has a row per value, sorted by TSPARMCD and TSSEQ. A parameter of `sdtm_null_flavor.csv` that the record does
not give has one row with a null flavor of ISO 21090 and no value. `TSGRPID` ties what belongs together: `REF3`
the PubMed number and the citation of the third reference, `LINK1` address and label of a link, `CONTACT1` what is
known of a contact. Texts over 200 bytes go on in TSVAL1, TSVAL2, ...

TI has a row per top-level criterion. Where the criteria text has no certain reading as a list there is no TI.

A document of this target is a dict of file names: a dataset in the structure of Dataset-JSON 1.1 for each `.json`
and `.xpt`, the tree of the Define-XML for `define.xml`. `fields.csv` lists every field of the registry with its
home, or the reason for having none.
"""
