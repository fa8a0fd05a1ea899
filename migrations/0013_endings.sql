-- The order in which the trials of a search ended. Where candidates go on as soon as they are among the best so far, it decides who does, so
-- that the same order comes to the same trials. What ended before has none.
ALTER TABLE trials ADD COLUMN ended INTEGER;
CREATE INDEX trials_by_ending ON trials (search_id, ended);
