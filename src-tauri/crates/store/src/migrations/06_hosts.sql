-- What the owner answered about hosts that no rule of the config names. The newest that holds counts.
CREATE TABLE host_answers (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    host     TEXT NOT NULL,                          -- lower case, ASCII, no trailing dot
    port     INTEGER NOT NULL,
    session  TEXT,                                   -- null: every session
    allowed  INTEGER NOT NULL,
    until    INTEGER,                                -- null: until it is taken back
    approval TEXT,                                   -- the question; null: said without being asked
    gone_at  INTEGER                                 -- when it was taken back
) STRICT;
CREATE INDEX host_answers_by_host ON host_answers (host, port, id);
CREATE INDEX host_answers_for_good ON host_answers (id) WHERE until IS NULL AND gone_at IS NULL;
CREATE INDEX approvals_by_time ON approvals (asked_at);
