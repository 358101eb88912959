"""The HTTP interface and the page: the same conversions, for programs and for people with a browser."""
