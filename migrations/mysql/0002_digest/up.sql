CREATE TABLE ledger (
    node BIGINT NOT NULL,
    outcome VARCHAR(32) NOT NULL,
    quantity BIGINT NOT NULL,
    PRIMARY KEY (node, outcome)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
