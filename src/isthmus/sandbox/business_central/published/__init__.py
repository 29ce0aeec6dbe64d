"""Pages published as OData V4 web services: what finance makes reachable under a name of its own (bc.md section 18).

One module per page or family of pages, each exporting `PAGES`; `catalogue` finds them. That these pages are no stable
contract is Microsoft's own warning. Names of properties are captions with `_`; of which a source shows one, the page's
docstring says so, and all others are assumed.
"""
