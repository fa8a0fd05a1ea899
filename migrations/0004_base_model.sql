-- What the search starts its trials from: a digest of the base model's weights. Empty in searches begun before it was kept.
ALTER TABLE searches ADD COLUMN base_model TEXT NOT NULL DEFAULT '';
