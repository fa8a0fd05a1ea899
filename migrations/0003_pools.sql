-- What the untouched policy wrote to training questions before the first round: candidates are probed on it. Sampled once a search.
CREATE TABLE pools (
    search_id  INTEGER PRIMARY KEY REFERENCES searches (id),
    pool       TEXT    NOT NULL,              -- JSON: {"groups": [{"prompt", "answer", "completions": [...]}]}
    created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
