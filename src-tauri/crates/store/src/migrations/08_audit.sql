-- Facts of security in a chain: each row's hash covers the one before, so that no row can be changed, taken out or put in between
-- without breaking every later one. The newest hash is signed elsewhere.
CREATE TABLE audit (
    id   INTEGER PRIMARY KEY,                        -- without gaps
    at   INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,                              -- JSON; nothing secret
    hash BLOB NOT NULL                               -- SHA-256 over the hash before, id, at, kind and body
) STRICT;
