-- tenant.db: one call centre. Ids are UUIDv7 text, times integer milliseconds.
CREATE TABLE account (
  id            TEXT PRIMARY KEY,
  login         TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('admin','supervisor','operator')),
  password_hash TEXT,                 -- argon2id PHC string; NULL can't log in
  sip_contact   TEXT,
  disabled      INTEGER NOT NULL DEFAULT 0,
  created_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE campaign (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE,
  status        TEXT NOT NULL CHECK (status IN ('draft','running','paused','closed')),
  sensitivity   TEXT NOT NULL CHECK (sensitivity IN ('low','high')),
  topics        TEXT NOT NULL,        -- JSON list
  dispositions  TEXT NOT NULL,        -- JSON list
  import_header TEXT NOT NULL,        -- JSON list
  created_at    INTEGER NOT NULL
) STRICT;
-- Which campaigns an operator or supervisor is assigned to.
CREATE TABLE scope_grant (
  account_id  TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
  campaign_id TEXT NOT NULL REFERENCES campaign(id) ON DELETE CASCADE,
  PRIMARY KEY (account_id, campaign_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE session (
  id           TEXT PRIMARY KEY,
  token_hash   BLOB NOT NULL UNIQUE,  -- SHA-256 of the cookie's token
  account_id   TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  source       TEXT NOT NULL,
  user_agent   TEXT NOT NULL,
  ended_at     INTEGER
) STRICT;
CREATE INDEX session_account ON session (account_id, ended_at);
CREATE TABLE customer (
  id          TEXT PRIMARY KEY,
  campaign_id TEXT NOT NULL REFERENCES campaign(id),
  code        TEXT NOT NULL,
  name        TEXT NOT NULL,
  kana        TEXT NOT NULL,
  phone       TEXT,                   -- E.164
  phone_alt   TEXT,                   -- E.164
  email       TEXT NOT NULL,
  postcode    TEXT NOT NULL,
  address     TEXT NOT NULL,
  handover    TEXT NOT NULL,
  extra       TEXT NOT NULL,          -- JSON list of [column, value]
  search      TEXT NOT NULL,          -- folded text of what search looks at
  version     INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX customer_code ON customer (campaign_id, code) WHERE code <> '';
CREATE INDEX customer_phone ON customer (phone) WHERE phone IS NOT NULL;
CREATE INDEX customer_phone_alt ON customer (phone_alt) WHERE phone_alt IS NOT NULL;
CREATE VIRTUAL TABLE customer_search USING fts5 (search, content='customer', content_rowid='rowid', tokenize='trigram');
CREATE TRIGGER customer_search_insert AFTER INSERT ON customer BEGIN
  INSERT INTO customer_search (rowid, search) VALUES (new.rowid, new.search);
END;
CREATE TRIGGER customer_search_delete AFTER DELETE ON customer BEGIN
  INSERT INTO customer_search (customer_search, rowid, search) VALUES ('delete', old.rowid, old.search);
END;
CREATE TRIGGER customer_search_update AFTER UPDATE OF search ON customer BEGIN
  INSERT INTO customer_search (customer_search, rowid, search) VALUES ('delete', old.rowid, old.search);
  INSERT INTO customer_search (rowid, search) VALUES (new.rowid, new.search);
END;
CREATE TABLE queue (
  id              TEXT PRIMARY KEY,
  name            TEXT NOT NULL UNIQUE,
  campaign_id     TEXT NOT NULL REFERENCES campaign(id),
  sensitivity     TEXT NOT NULL CHECK (sensitivity IN ('low','high')),
  ring_seconds    INTEGER NOT NULL,
  wrap_up_seconds INTEGER NOT NULL,
  recorded        INTEGER NOT NULL
) STRICT;
CREATE TABLE queue_member (
  queue_id   TEXT NOT NULL REFERENCES queue(id) ON DELETE CASCADE,
  account_id TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
  PRIMARY KEY (queue_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE flow (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  version    INTEGER NOT NULL,
  document   TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  UNIQUE (name, version)
) STRICT;
CREATE TABLE prompt (
  id          TEXT PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  source      BLOB NOT NULL,          -- the WAV as added
  rendering   BLOB NOT NULL,          -- 8 kHz mono, signed 16-bit little-endian
  duration_ms INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE call (
  id           TEXT PRIMARY KEY,
  caller       TEXT NOT NULL,
  called       TEXT NOT NULL,
  campaign_id  TEXT,
  queue_id     TEXT,
  customer_id  TEXT,
  operator_id  TEXT,
  recording_id TEXT,
  started_at   INTEGER NOT NULL,
  queued_at    INTEGER,
  answered_at  INTEGER,
  ended_at     INTEGER,
  fate         TEXT CHECK (fate IN ('answered','abandoned','completed','refused','interrupted'))
) STRICT;
CREATE INDEX call_open ON call (id) WHERE fate IS NULL;
CREATE INDEX call_started ON call (started_at);
CREATE INDEX call_customer ON call (customer_id, started_at);
CREATE INDEX call_campaign ON call (campaign_id, started_at);
CREATE TABLE call_event (
  id         INTEGER PRIMARY KEY,
  call_id    TEXT NOT NULL REFERENCES call(id),
  at         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  account_id TEXT,
  detail     TEXT NOT NULL
) STRICT;
CREATE INDEX call_event_call ON call_event (call_id, id);
CREATE TABLE presence_event (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  account_id TEXT NOT NULL,
  presence   TEXT NOT NULL,
  reason     TEXT NOT NULL
) STRICT;
CREATE TABLE recording (
  id          TEXT PRIMARY KEY,
  call_id     TEXT NOT NULL,
  campaign_id TEXT,
  operator_id TEXT,
  state       TEXT NOT NULL CHECK (state IN ('spooling','sealed','recovered','lost')),
  started_at  INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  wav_bytes   INTEGER NOT NULL,
  spool_key   BLOB,                   -- while spooling: the key that seals the spool's own key
  identity    TEXT,                   -- age X25519 identity; deleting the row deletes the recording everywhere
  peaks       BLOB,                   -- waveform: for each of N slots one byte left, one byte right
  reason      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX recording_call ON recording (call_id);
CREATE INDEX recording_started ON recording (started_at);
CREATE TABLE contact_record (
  id          TEXT PRIMARY KEY,
  campaign_id TEXT NOT NULL REFERENCES campaign(id),
  customer_id TEXT REFERENCES customer(id),
  call_id     TEXT,
  account_id  TEXT NOT NULL REFERENCES account(id),
  topic       TEXT NOT NULL,
  disposition TEXT NOT NULL,
  next_action TEXT NOT NULL CHECK (next_action IN ('none','callback','auto_redial','visit')),
  due_at      INTEGER,
  note        TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  version     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX contact_record_call ON contact_record (call_id, account_id) WHERE call_id IS NOT NULL;
CREATE INDEX contact_record_customer ON contact_record (customer_id, created_at);
CREATE INDEX contact_record_due ON contact_record (account_id, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE audit (
  seq     INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  actor   TEXT NOT NULL,
  source  TEXT NOT NULL,
  action  TEXT NOT NULL,
  object  TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail  TEXT NOT NULL,
  hash    BLOB NOT NULL
) STRICT;
