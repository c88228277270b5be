CREATE TABLE ledger (
    node INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (node, outcome)
) WITHOUT ROWID;
