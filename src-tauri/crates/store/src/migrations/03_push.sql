-- Where a phone's browser takes pushes. An endpoint is of use only to who holds our VAPID key, which is not here.
CREATE TABLE push_subscriptions (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    phone    TEXT NOT NULL REFERENCES phones (id),
    endpoint TEXT NOT NULL UNIQUE,
    p256dh   BLOB NOT NULL,                          -- the browser's public key, P-256, uncompressed point
    auth     BLOB NOT NULL,                          -- 16 bytes it shares with us
    made_at  INTEGER NOT NULL
) STRICT;

-- One for each subscription and each thing to be told. state: queued, sending (an attempt was begun and its end is not known),
-- sent (the push service has it), shown (the phone said so), failed, texted (told by text instead).
CREATE TABLE push_letters (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    about        TEXT NOT NULL,                      -- approval:<id> or turn:<id>
    session      TEXT NOT NULL REFERENCES sessions (id),
    subscription INTEGER NOT NULL,                   -- it may be gone
    phone        TEXT NOT NULL REFERENCES phones (id),
    state        TEXT NOT NULL DEFAULT 'queued',
    attempts     INTEGER NOT NULL DEFAULT 0,
    due_at       INTEGER NOT NULL,
    text_at      INTEGER,                            -- not shown anywhere until then: a text goes; null: none does
    created_at   INTEGER NOT NULL,
    sent_at      INTEGER,
    shown_at     INTEGER,
    why          TEXT
) STRICT;
CREATE INDEX push_letters_due ON push_letters (due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX push_letters_to_text ON push_letters (text_at) WHERE text_at IS NOT NULL;
CREATE INDEX push_letters_about ON push_letters (about);
