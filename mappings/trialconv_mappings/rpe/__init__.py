"""A registry record as a message of IHE's Retrieve Process for Execution (RPE), which EHRs import studies from."""
