CREATE TABLE ledger (
    node BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (node, outcome)
);
