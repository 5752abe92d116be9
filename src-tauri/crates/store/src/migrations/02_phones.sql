-- Paired devices. What opens a door is never here: only hashes of refresh tokens, and the phone's public key.
CREATE TABLE phones (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    browser      TEXT NOT NULL,                      -- as it names itself
    address      TEXT NOT NULL,                      -- where it paired from
    public_key   BLOB,                               -- P-256, uncompressed point; null: none was registered
    scopes       TEXT NOT NULL,                      -- words with spaces between
    refresh      TEXT NOT NULL UNIQUE,               -- SHA-256 of the refresh token that works now
    previous     TEXT,                               -- and of the one before it,
    last_request TEXT,                               -- with SHA-256 of the signature that turned it in
    paired_at    INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    revoked_at   INTEGER,
    revoked_why  TEXT
) STRICT, WITHOUT ROWID;

-- Refresh tokens that were used: one that comes again was stolen, from the phone or on the way.
CREATE TABLE refresh_spent (
    hash  TEXT PRIMARY KEY,
    phone TEXT NOT NULL REFERENCES phones (id),
    at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Named tokens for scripts and other programs.
CREATE TABLE api_tokens (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,
    made_at    INTEGER NOT NULL,
    used_at    INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    session TEXT NOT NULL REFERENCES sessions (id),
    tag     TEXT NOT NULL,
    PRIMARY KEY (session, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_tag ON tags (tag, session);

ALTER TABLE sessions ADD COLUMN model TEXT;          -- null: the config's
CREATE INDEX sessions_by_use ON sessions (last_at DESC, number DESC);

-- The event that says that a message was said: the answer to the same words sent again.
ALTER TABLE inbox ADD COLUMN event INTEGER;

-- Artifacts are listed by session.
CREATE INDEX artifacts_by_session ON artifacts (session, created_at);

-- What of an event can be searched, as plain words. U+E000 and U+E001 mark matches in snippets, so no text has them.
CREATE VIEW event_words AS
SELECT seq, replace(replace(
    CASE json_extract(body, '$.type')
        WHEN 'said' THEN json_extract(body, '$.text')
        WHEN 'answered' THEN json_extract(body, '$.text')
        WHEN 'noticed' THEN json_extract(body, '$.text')
        WHEN 'failed' THEN json_extract(body, '$.detail')
        WHEN 'artifact_made' THEN json_extract(body, '$.caption')
        WHEN 'tool_finished' THEN substr(json_extract(body, '$.text'), 1, 4000)
        WHEN 'tool_used' THEN json_extract(body, '$.tool') || ' '
            || coalesce((SELECT substr(group_concat(atom, ' '), 1, 4000) FROM json_tree(body, '$.input') WHERE atom IS NOT NULL), '')
    END, char(57344), ''), char(57345), '') AS text
FROM events;

-- The index holds no text of its own: snippets read it from the view.
CREATE VIRTUAL TABLE words USING fts5 (text, content = 'event_words', content_rowid = 'seq', tokenize = "unicode61 remove_diacritics 2 tokenchars '_'");

INSERT INTO words (rowid, text) SELECT seq, text FROM event_words WHERE text <> '';

CREATE TRIGGER events_to_words AFTER INSERT ON events BEGIN
    INSERT INTO words (rowid, text) SELECT seq, text FROM event_words WHERE seq = new.seq AND text <> '';
END;
