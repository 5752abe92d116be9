-- What the owner allowed above a ceiling, and which ceilings were told about.
CREATE TABLE ceilings (
    ceiling  TEXT NOT NULL,                          -- spend.day, spend.day_tokens
    scope    TEXT NOT NULL,                          -- a turn's or session's id; the start of the day or month
    more     INTEGER NOT NULL DEFAULT 0,             -- allowed above it, as its unit counts
    told_at  INTEGER,                                -- when the owner was told that it is near
    PRIMARY KEY (ceiling, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_by_turn ON approvals (turn) WHERE turn IS NOT NULL;
