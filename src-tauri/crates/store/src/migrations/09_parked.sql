-- Sessions whose turn failed of the provider's limit, and go on by themselves when it is over.
CREATE TABLE parked (
    session  TEXT PRIMARY KEY,
    turn     TEXT NOT NULL,                          -- the one that failed
    until    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
