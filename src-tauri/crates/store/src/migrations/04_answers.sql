-- An approval with several questions whose owner answers them one text at a time: what was said so far.
CREATE TABLE answers_so_far (
    approval TEXT PRIMARY KEY REFERENCES approvals (id),
    answers  TEXT NOT NULL                           -- JSON: the answers to its first questions, in their order
) STRICT;
