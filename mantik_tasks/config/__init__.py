"""The Compute Backend Config: models, reader, legacy spellings, JSON Schema."""
