-- Which event a letter tells of: a turn's end, a question. With it each thing said to a person shows where it went.
ALTER TABLE outbox ADD COLUMN event INTEGER;
ALTER TABLE outbox ADD COLUMN changed_at INTEGER;    -- when it was last told how it stands
CREATE INDEX outbox_by_event ON outbox (event) WHERE event IS NOT NULL;
ALTER TABLE push_letters ADD COLUMN event INTEGER;
CREATE INDEX push_letters_by_event ON push_letters (event) WHERE event IS NOT NULL;
ALTER TABLE approvals ADD COLUMN event INTEGER;      -- the event that asked it

-- What was spent, summed up by quarter of an hour: days of every time zone begin at one. A year has at most 35 000 of them,
-- however many responses there were.
CREATE TABLE usage_quarters (
    quarter     INTEGER NOT NULL,                    -- the time, in units of 900 000 ms
    session     TEXT NOT NULL,                       -- empty: of none
    input       INTEGER NOT NULL,
    output      INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    cache_read  INTEGER NOT NULL,
    cost        INTEGER NOT NULL,
    responses   INTEGER NOT NULL,
    PRIMARY KEY (quarter, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_quarters_by_session ON usage_quarters (session);

INSERT INTO usage_quarters
SELECT at / 900000, coalesce(session, ''), sum(input), sum(output), sum(cache_write), sum(cache_read), sum(cost), count(*)
FROM usage GROUP BY 1, 2;

CREATE TRIGGER usage_to_quarters AFTER INSERT ON usage BEGIN
    INSERT INTO usage_quarters VALUES (new.at / 900000, coalesce(new.session, ''), new.input, new.output, new.cache_write,
                                       new.cache_read, new.cost, 1)
    ON CONFLICT (quarter, session) DO UPDATE SET
        input = input + excluded.input, output = output + excluded.output, cache_write = cache_write + excluded.cache_write,
        cache_read = cache_read + excluded.cache_read, cost = cost + excluded.cost, responses = responses + 1;
END;
CREATE INDEX turns_by_start ON turns (started_at, session, duration_ms);

-- Sessions by what the window asks for.
CREATE INDEX sessions_by_agent ON sessions (agent, last_at DESC, number DESC);
CREATE INDEX sessions_by_open ON sessions (open, last_at DESC, number DESC);

-- History of another program that was taken in. Its events have numbers below 0, a block for each conversation: they are
-- older than all others, and no stream carries them.
CREATE TABLE imports (
    conversation TEXT PRIMARY KEY,                   -- the other program's id of it
    session      TEXT NOT NULL REFERENCES sessions (id),
    bytes        INTEGER NOT NULL,                   -- of its file that were taken
    last         INTEGER NOT NULL                    -- the newest event's number
) STRICT, WITHOUT ROWID;

-- What happened, in the order it did, for one list of all of it: a row points at what it tells of. A letter has one row,
-- whose kind changes with its fate.
CREATE TABLE activity (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    source  TEXT NOT NULL,                           -- the table: events, outbox, push_letters, phones, reached; or refused, imported
    ref     ANY NOT NULL,                            -- the row's key there; how many were refused; what was imported, as JSON
    session TEXT
) STRICT;
CREATE INDEX activity_by_kind ON activity (kind, id);
CREATE INDEX activity_of_letters ON activity (source, ref) WHERE source IN ('outbox', 'push_letters');

-- What an event is called here; null: it is not told (tools are in the session's own history).
CREATE VIEW event_kinds AS
SELECT seq, CASE json_extract(body, '$.type')
    WHEN 'said' THEN 'said'
    WHEN 'answered' THEN 'answered'
    WHEN 'failed' THEN 'turn_failed'
    WHEN 'turn_ended' THEN iif(json_extract(body, '$.outcome') = 'failed', NULL, 'turn_ended')
    WHEN 'asked' THEN 'asked'
    WHEN 'resolved' THEN CASE json_extract(body, '$.decision.decision')
        WHEN 'denied' THEN 'denied' WHEN 'expired' THEN 'expired' WHEN 'withdrawn' THEN 'withdrawn' ELSE 'allowed' END
    WHEN 'mode_changed' THEN 'mode_changed'
    WHEN 'closed' THEN 'session_closed'
END AS kind FROM events;

CREATE VIEW letter_kinds AS
SELECT 'outbox' AS source, id, created_at, session,
       CASE WHEN state = 'failed' OR status IN ('failed', 'undelivered', 'canceled') THEN 'text_failed'
            WHEN state = 'sent' THEN 'text_sent' ELSE 'text_waiting' END AS kind
FROM outbox
UNION ALL
SELECT 'push_letters', id, created_at, session,
       CASE WHEN state IN ('sent', 'shown') OR (state = 'texted' AND sent_at IS NOT NULL) THEN 'pushed'
            WHEN state IN ('failed', 'texted') THEN 'push_failed' ELSE 'push_waiting' END
FROM push_letters WHERE subscription > 0 AND about NOT LIKE 'closed:%';

-- What can be searched of it: the kinds it has or may come to have, and words.
CREATE VIEW activity_texts AS
SELECT a.id,
    CASE a.source WHEN 'outbox' THEN 'text_waiting text_sent text_failed' WHEN 'push_letters' THEN 'push_waiting pushed push_failed'
                  ELSE a.kind END AS kind,
    CASE a.source
        WHEN 'events' THEN CASE a.kind
            WHEN 'asked' THEN (SELECT substr(group_concat(atom, ' '), 1, 2000) FROM events e, json_tree(e.body, '$.subject')
                               WHERE e.seq = a.ref AND atom IS NOT NULL)
            ELSE (SELECT substr(text, 1, 2000) FROM event_words WHERE seq = a.ref) END
        WHEN 'outbox' THEN (SELECT address || ' ' || substr(body, 1, 2000) FROM outbox WHERE id = a.ref)
        WHEN 'push_letters' THEN (SELECT p.name FROM push_letters l JOIN phones p ON p.id = l.phone WHERE l.id = a.ref)
        WHEN 'phones' THEN (SELECT name || ' ' || browser || ' ' || address FROM phones WHERE id = a.ref)
        WHEN 'reached' THEN (SELECT host || ' ' || port || ' ' || why FROM reached WHERE id = a.ref)
    END AS text
FROM activity a;

CREATE VIRTUAL TABLE activity_words USING fts5 (kind, text, content = '', tokenize = "unicode61 remove_diacritics 2 tokenchars '_'");

CREATE TRIGGER activity_to_words AFTER INSERT ON activity BEGIN
    INSERT INTO activity_words (rowid, kind, text) SELECT id, kind, text FROM activity_texts WHERE id = new.id;
END;

-- What happened before.
INSERT INTO activity (at, kind, source, ref, session)
SELECT at, kind, source, ref, session FROM (
    SELECT e.at, k.kind, 'events' AS source, e.seq AS ref, e.session FROM events e JOIN event_kinds k ON k.seq = e.seq WHERE k.kind IS NOT NULL
    UNION ALL SELECT created_at, kind, source, id, session FROM letter_kinds
    UNION ALL SELECT paired_at, 'paired', 'phones', id, NULL FROM phones
    UNION ALL SELECT revoked_at, 'revoked', 'phones', id, NULL FROM phones WHERE revoked_at IS NOT NULL
    UNION ALL SELECT at, iif(allowed, 'host_allowed', 'host_blocked'), 'reached', id, session FROM reached
) ORDER BY at;

-- And what happens from now on, whoever writes it down. What was imported (numbers below 0) did not happen here.
CREATE TRIGGER events_to_activity AFTER INSERT ON events WHEN new.seq > 0 BEGIN
    INSERT INTO activity (at, kind, source, ref, session)
    SELECT new.at, kind, 'events', new.seq, new.session FROM event_kinds WHERE seq = new.seq AND kind IS NOT NULL;
END;
CREATE TRIGGER outbox_to_activity AFTER INSERT ON outbox BEGIN
    INSERT INTO activity (at, kind, source, ref, session)
    SELECT created_at, kind, source, id, session FROM letter_kinds WHERE source = 'outbox' AND id = new.id;
END;
CREATE TRIGGER outbox_in_activity AFTER UPDATE OF state, status ON outbox BEGIN
    UPDATE activity SET kind = (SELECT kind FROM letter_kinds WHERE source = 'outbox' AND id = new.id)
    WHERE source = 'outbox' AND ref = new.id;
END;
CREATE TRIGGER push_letters_to_activity AFTER INSERT ON push_letters BEGIN
    INSERT INTO activity (at, kind, source, ref, session)
    SELECT created_at, kind, source, id, session FROM letter_kinds WHERE source = 'push_letters' AND id = new.id;
END;
CREATE TRIGGER push_letters_in_activity AFTER UPDATE OF state ON push_letters
WHEN new.subscription > 0 AND new.about NOT LIKE 'closed:%' BEGIN
    UPDATE activity SET kind = (SELECT kind FROM letter_kinds WHERE source = 'push_letters' AND id = new.id)
    WHERE source = 'push_letters' AND ref = new.id;
END;
CREATE TRIGGER phones_to_activity AFTER INSERT ON phones BEGIN
    INSERT INTO activity (at, kind, source, ref) VALUES (new.paired_at, 'paired', 'phones', new.id);
END;
CREATE TRIGGER phones_in_activity AFTER UPDATE OF revoked_at ON phones WHEN old.revoked_at IS NULL AND new.revoked_at IS NOT NULL BEGIN
    INSERT INTO activity (at, kind, source, ref) VALUES (new.revoked_at, 'revoked', 'phones', new.id);
END;
CREATE TRIGGER reached_to_activity AFTER INSERT ON reached BEGIN
    INSERT INTO activity (at, kind, source, ref, session)
    VALUES (new.at, iif(new.allowed, 'host_allowed', 'host_blocked'), 'reached', new.id, new.session);
END;
