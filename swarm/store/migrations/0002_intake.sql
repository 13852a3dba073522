-- The intake stream as read: every complete line ends as accepted, duplicate or quarantined.

CREATE TABLE intake_offset (
    stream          text NOT NULL,                        -- name of the stream, e.g. 'work_orders'
    generation      integer NOT NULL,
    byte_offset     bigint NOT NULL,
    marker_sha256   text NOT NULL,                        -- of the last <= 256 bytes before the offset
    prefix_length   integer NOT NULL,
    prefix_sha256   text NOT NULL,
    lines           bigint NOT NULL DEFAULT 0,            -- complete lines consumed in this generation
    size_seen       bigint NOT NULL DEFAULT 0,
    device          bigint NOT NULL DEFAULT 0,
    inode           bigint NOT NULL DEFAULT 0,
    closed_at       timestamptz,                          -- a rotated or replaced generation
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, generation)
);

CREATE TABLE intake_line (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream          text NOT NULL,
    generation      integer NOT NULL,
    byte_offset     bigint NOT NULL,
    length          bigint NOT NULL,
    line_sha256     text NOT NULL,
    canonical_sha256 text,                                -- null for quarantined lines
    work_order_key  text,
    status          text NOT NULL CHECK (status IN ('accepted', 'duplicate', 'quarantined')),
    received_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (stream, generation, byte_offset)
);
CREATE INDEX intake_line_by_work_order ON intake_line (work_order_key);

CREATE TABLE quarantine (
    stream          text NOT NULL,
    generation      integer NOT NULL,
    byte_offset     bigint NOT NULL,
    length          bigint NOT NULL,
    sha256          text NOT NULL,
    head            bytea NOT NULL,                       -- first 4 KiB
    reason          text NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, generation, byte_offset)
);

CREATE TABLE revision (
    work_order_key  text NOT NULL REFERENCES work_orders (key),
    canonical_sha256 text NOT NULL,
    body            jsonb NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work_order_key, canonical_sha256)
);
