"""FHIR servers: what one can do, what it holds, and how it comes to hold what a bundle says, or no longer does.

Imports go downwards in this order: `push` and `withdraw`, `delivery`, `plan`, `holdings`, `capability`, `server`,
`auth`; `content`, `outcomes`, `journal` and `fates` stand on their own.
"""
