-- Tasks: a repository and words, done from clone to pull request in a sandbox of their own.
CREATE TABLE tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,    -- what a person types
    repository   TEXT NOT NULL,
    prompt       TEXT NOT NULL,
    base         TEXT,                                 -- null: the repository's own
    branch       TEXT NOT NULL,
    agent        TEXT NOT NULL,
    budget       INTEGER,                              -- null: the ceilings of every session
    priority     INTEGER NOT NULL,
    channel      TEXT NOT NULL,
    external     TEXT NOT NULL,                        -- the idempotency key of its channel
    sender       TEXT,
    made_at      INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,                     -- it may begin from then on
    attempt      INTEGER NOT NULL DEFAULT 1,
    state        TEXT NOT NULL DEFAULT 'queued',
    state_at     INTEGER NOT NULL,
    session      TEXT REFERENCES sessions (id),        -- of this attempt
    sandbox      TEXT,                                 -- as long as it is there, or may be
    keep_until   INTEGER,                              -- the sandbox of one that failed
    result       TEXT NOT NULL DEFAULT '{}',           -- store::tasks::TaskResult as JSON
    failed       TEXT,                                 -- a code
    why          TEXT,
    UNIQUE (channel, external)
) STRICT;
CREATE INDEX tasks_queued ON tasks (not_before) WHERE state = 'queued';
CREATE INDEX tasks_running ON tasks (state) WHERE state IN ('starting', 'cloning', 'working', 'needs_you', 'pushing');
CREATE INDEX tasks_with_sandbox ON tasks (sandbox) WHERE sandbox IS NOT NULL;
CREATE INDEX tasks_by_session ON tasks (session) WHERE session IS NOT NULL;

-- Each state a task was in, and since when.
CREATE TABLE task_steps (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    task    INTEGER NOT NULL REFERENCES tasks (id),
    attempt INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    state   TEXT NOT NULL
) STRICT;
CREATE INDEX task_steps_by_task ON task_steps (task, id);

-- Whose sandbox a session works in; null: the one of all others.
ALTER TABLE sessions ADD COLUMN task INTEGER REFERENCES tasks (id);

-- What is to be done again and again, by the clock of this computer.
CREATE TABLE schedules (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    cron    TEXT NOT NULL,                             -- five fields
    task    TEXT NOT NULL,                             -- store::schedules::Template as JSON
    channel TEXT NOT NULL,
    sender  TEXT,
    made_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX schedules_by_next ON schedules (next_at);
