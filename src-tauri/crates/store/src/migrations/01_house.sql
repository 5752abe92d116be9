-- Times are milliseconds since the Unix epoch (UTC), ids are UUIDs as text, money is millionths of a US dollar.

CREATE TABLE sessions (
    id            TEXT PRIMARY KEY,
    number        INTEGER NOT NULL UNIQUE,          -- what a person types: use 2
    agent         TEXT NOT NULL,
    title         TEXT NOT NULL,
    mode          TEXT NOT NULL,
    agent_session TEXT,                              -- the agent's own id of the conversation, for resuming
    open          INTEGER NOT NULL DEFAULT 1,
    created_at    INTEGER NOT NULL,
    last_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_last ON sessions (last_at DESC);

CREATE TABLE events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,       -- the cursor of every client; never reused
    session TEXT NOT NULL REFERENCES sessions (id),
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL                            -- domain::event::Event as JSON
) STRICT;
CREATE INDEX events_by_session ON events (session, seq);

-- What people said, before anything is done about it. state: received (nobody looked yet), waiting (in a session, no
-- turn took it), taken (a turn took it), handled (a command, or refused).
CREATE TABLE inbox (
    message     INTEGER PRIMARY KEY AUTOINCREMENT,
    channel     TEXT NOT NULL,
    external    TEXT NOT NULL,                       -- MessageSid, client id: the idempotency key of its channel
    sender      TEXT,
    receiver    TEXT,
    text        TEXT NOT NULL,
    media       TEXT NOT NULL,                       -- JSON [{url, media_type}], as announced
    pictures    TEXT NOT NULL DEFAULT '[]',          -- JSON [artifact id], once fetched
    received_at INTEGER NOT NULL,
    state       TEXT NOT NULL DEFAULT 'received',
    session     TEXT REFERENCES sessions (id),
    turn        TEXT,
    steer       INTEGER NOT NULL DEFAULT 0,
    failed      TEXT,                                -- the code of what went wrong, where nothing more comes of it
    UNIQUE (channel, external)
) STRICT;
CREATE INDEX inbox_open ON inbox (state, message) WHERE state IN ('received', 'waiting');
CREATE INDEX inbox_by_turn ON inbox (turn) WHERE turn IS NOT NULL;

CREATE TABLE turns (
    id          TEXT PRIMARY KEY,
    session     TEXT NOT NULL REFERENCES sessions (id),
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    outcome     TEXT,
    duration_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_open ON turns (session) WHERE ended_at IS NULL;

CREATE TABLE approvals (
    id         TEXT PRIMARY KEY,
    number     INTEGER NOT NULL,
    session    TEXT NOT NULL REFERENCES sessions (id),
    turn       TEXT,
    request    TEXT,
    subject    TEXT NOT NULL,                        -- domain::approval::Subject as JSON
    hash       TEXT NOT NULL,
    risk       TEXT NOT NULL,
    asked_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decision   TEXT,                                 -- domain::approval::Decision as JSON; null while open
    channel    TEXT,
    decided_by TEXT,
    decided_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX approvals_open ON approvals (number) WHERE decision IS NULL;
CREATE INDEX approvals_by_session ON approvals (session, asked_at);

-- What is to leave. state: due, sending (an attempt was begun and its end is not known), sent, failed.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address    TEXT NOT NULL,
    body       TEXT NOT NULL,                        -- where a link goes, its proof is left blank until it is sent
    media      TEXT,                                 -- artifact id
    link       INTEGER REFERENCES links (id) ON DELETE SET NULL,
    agent      INTEGER NOT NULL DEFAULT 0,           -- whether an agent caused it unasked: a question, a picture
    session    TEXT,
    turn       TEXT,
    state      TEXT NOT NULL DEFAULT 'due',
    attempts   INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    began_at   INTEGER,
    looks      INTEGER NOT NULL DEFAULT 0,           -- how often Twilio's list was asked for it in vain
    sid        TEXT UNIQUE,
    status     TEXT,
    status_rank INTEGER NOT NULL DEFAULT 0,
    error      INTEGER,
    why        TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state IN ('due', 'sending');
CREATE INDEX outbox_of_agents ON outbox (address, created_at) WHERE agent = 1;
CREATE INDEX outbox_by_link ON outbox (link) WHERE link IS NOT NULL;

-- Per address: the current session, the part of a long answer not sent yet and what a link to all of it shows, whether its
-- owner wants no messages, and when the owner was last told that agents caused too many.
CREATE TABLE numbers (
    address    TEXT PRIMARY KEY,
    session    TEXT REFERENCES sessions (id),
    rest       TEXT,
    rest_shows TEXT,
    opted_out  INTEGER,
    hushed_at  INTEGER
) STRICT, WITHOUT ROWID;

-- "Always allow", kept here and given back to the agent whenever it starts.
CREATE TABLE rules (
    session TEXT NOT NULL REFERENCES sessions (id),
    tool    TEXT NOT NULL,
    content TEXT NOT NULL DEFAULT '',
    made_at INTEGER NOT NULL,
    PRIMARY KEY (session, tool, content)
) STRICT, WITHOUT ROWID;

-- One row for each response of the model, as the egress door counted it.
CREATE TABLE usage (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    session     TEXT,
    turn        TEXT,
    model       TEXT NOT NULL,
    input       INTEGER NOT NULL,
    output      INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_read  INTEGER NOT NULL,
    cost        INTEGER NOT NULL,
    priced      INTEGER NOT NULL,
    status      INTEGER NOT NULL
) STRICT;
CREATE INDEX usage_by_at ON usage (at);
CREATE INDEX usage_by_session ON usage (session);
CREATE INDEX usage_by_turn ON usage (turn);

CREATE TABLE artifacts (
    id         TEXT PRIMARY KEY,
    session    TEXT,
    turn       TEXT,
    media_type TEXT NOT NULL,
    caption    TEXT,
    bytes      BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What the links in texts show and until when. A link's proof is made from that and a key that is not in here, so that who
-- reads the database can open nothing.
CREATE TABLE links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    shows      TEXT NOT NULL,                        -- answer:<turn>, approval:<id> or media:<artifact>
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX links_by_end ON links (expires_at);
CREATE INDEX links_by_what ON links (shows, expires_at);

-- What left a sandbox, or wanted to.
CREATE TABLE reached (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    session   TEXT,
    host      TEXT NOT NULL,
    port      INTEGER NOT NULL,
    allowed   INTEGER NOT NULL,
    why       TEXT NOT NULL,
    bytes_in  INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    decision  TEXT NOT NULL UNIQUE                   -- the egress door's id of it
) STRICT;

-- Single facts: when messages were last reconciled, how many signatures were refused.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
