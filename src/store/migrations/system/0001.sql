-- system.db: what spans tenants. Ids are UUIDv7 text, times integer milliseconds.
CREATE TABLE tenant (
  id          TEXT PRIMARY KEY,
  slug        TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  region      TEXT NOT NULL,
  time_zone   TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,          -- the tenant database's key under the master key
  created_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE trunk (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  sources    TEXT NOT NULL,           -- JSON list of CIDR
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE number (
  id         TEXT PRIMARY KEY,
  number     TEXT NOT NULL,
  trunk_id   TEXT NOT NULL REFERENCES trunk(id),
  tenant_id  TEXT NOT NULL REFERENCES tenant(id),
  flow       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (trunk_id, number)
) STRICT;
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY,        -- 1, 2, 3 … without a gap
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,              -- uid:0/pid:4711, account:<id>, daemon
  source  TEXT NOT NULL,              -- socket, address, or empty
  action  TEXT NOT NULL,              -- noun.verb
  object  TEXT NOT NULL,              -- ids, never personal data
  outcome TEXT NOT NULL,              -- done, refused, failed
  detail  TEXT NOT NULL,              -- JSON, never personal data
  hash    BLOB NOT NULL               -- SHA-256 over the previous row's hash and this row
) STRICT;
