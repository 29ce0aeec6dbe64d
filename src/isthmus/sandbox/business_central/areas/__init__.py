"""One module per area of the Business Central API, each exporting `AREA`; `registry` finds them.

So a new area is a new file. An area may import the OData modules of `business_central` and the row functions of another
area; nothing imports an area by name except another area and the posting.
"""
