"""One file per canonical entity; a new file here is all it takes to add one (see isthmus.model.entity)."""
