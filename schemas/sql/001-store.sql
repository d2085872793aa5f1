-- The contract store, schema version 1. Documented in docs/STORE.md.
-- INTEGER columns hold signed 64-bit numbers; times are microseconds since the epoch; ids in BLOBs are the raw bytes
-- of their hex form.

-- One participant. base_offset is set when its base is complete: a source without one has no answer to give.
CREATE TABLE source(
  source_pk INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  base_offset INTEGER,
  base_filter TEXT,                            -- JSON array of parties; NULL: everything the participant sees
  base_in_flight INTEGER NOT NULL DEFAULT 0,   -- in-flight contracts the base counted without naming them
  head_offset INTEGER,
  generation INTEGER NOT NULL DEFAULT 0        -- grows with every reset-to
);

CREATE TABLE synchronizer(sync_pk INTEGER PRIMARY KEY, sync_id TEXT NOT NULL UNIQUE);
CREATE TABLE package(package_pk INTEGER PRIMARY KEY, package_id TEXT NOT NULL UNIQUE);
CREATE TABLE template(
  template_pk INTEGER PRIMARY KEY,
  package_id TEXT NOT NULL,
  package_name TEXT NOT NULL,
  module_name TEXT NOT NULL,
  entity_name TEXT NOT NULL,
  UNIQUE(entity_name, module_name, package_id, package_name)
);
CREATE TABLE party(party_pk INTEGER PRIMARY KEY, party TEXT NOT NULL UNIQUE);

-- Distinct stakeholder sets: few, while contracts are many.
CREATE TABLE party_set(set_pk INTEGER PRIMARY KEY, members TEXT NOT NULL UNIQUE);   -- signatory pks | observer pks
CREATE TABLE party_set_member(
  party_pk INTEGER NOT NULL,
  set_pk INTEGER NOT NULL,
  role INTEGER NOT NULL,                       -- 1 signatory, 2 observer
  PRIMARY KEY(party_pk, set_pk)
) WITHOUT ROWID;
CREATE INDEX party_set_member_by_set ON party_set_member(set_pk);

-- Fields 9 to 11 of created events as written: witnesses, signatories, observers, in the writer's order.
CREATE TABLE layout(
  layout_pk INTEGER PRIMARY KEY,
  set_pk INTEGER NOT NULL,
  bytes BLOB NOT NULL
);
CREATE INDEX layout_by_set ON layout(set_pk);

-- Contracts, shared by all sources. Without a row in contract_blob only the id (and perhaps the template) is known.
CREATE TABLE contract(
  contract_pk INTEGER PRIMARY KEY,
  id_hash INTEGER NOT NULL,                    -- 48 bits of a hash of contract_id
  contract_id BLOB NOT NULL,
  template_pk INTEGER,
  set_pk INTEGER,
  created_at INTEGER
);
CREATE INDEX contract_by_id ON contract(id_hash);
CREATE INDEX contract_by_set ON contract(set_pk);
CREATE TABLE contract_blob(contract_pk INTEGER PRIMARY KEY, blob BLOB NOT NULL);

CREATE TABLE import(
  import_pk INTEGER PRIMARY KEY,
  source_pk INTEGER NOT NULL,
  kind TEXT NOT NULL,                          -- snapshot | active-contracts | updates | begin
  file TEXT,
  sha256 BLOB,                                 -- of the file as stored; NULL while it is being read
  at_offset INTEGER,
  filter TEXT,
  status TEXT NOT NULL,                        -- loading | complete
  next_record INTEGER NOT NULL DEFAULT 0,
  prefix_crc INTEGER NOT NULL DEFAULT 0,       -- CRC-32 of the records taken so far
  contracts INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,          -- records outside the party filter
  started_at INTEGER NOT NULL,
  finished_at INTEGER
);

-- One row per update that changed something, append-only.
CREATE TABLE update_tx(
  source_pk INTEGER NOT NULL,
  off INTEGER NOT NULL,
  kind INTEGER NOT NULL,                       -- 1 transaction, 2 reassignment, 3 topology
  update_id BLOB NOT NULL,
  id_hash INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  record_time INTEGER,
  effective_at INTEGER,
  workflow_id TEXT,
  origin INTEGER NOT NULL,                     -- 0 sequenced, 1 import, 2 purge, 3 repair (a guess, never used for state)
  content_hash INTEGER NOT NULL,
  first_event INTEGER NOT NULL,                -- event_pk of its first event, or the next one to be given
  PRIMARY KEY(source_pk, off)
) WITHOUT ROWID;
CREATE INDEX update_by_id ON update_tx(id_hash);

-- The log, append-only; everything below it is derived.
CREATE TABLE event(
  event_pk INTEGER PRIMARY KEY,
  source_pk INTEGER NOT NULL,
  off INTEGER NOT NULL,                        -- offset at which it counts; the base offset for base entries
  node_id INTEGER NOT NULL,
  kind INTEGER NOT NULL,                       -- see event_kind
  contract_pk INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  counter INTEGER,
  ledger_offset INTEGER,                       -- offset inside the created event where it differs from off
  layout_pk INTEGER,
  package_pk INTEGER,                          -- representative package
  shape INTEGER NOT NULL DEFAULT 0             -- fields the created event lacks
);
CREATE TABLE event_kind(kind INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO event_kind VALUES
  (1, 'create'), (2, 'assign'), (3, 'archive'), (4, 'unassign'), (5, 'base-active'),
  (6, 'base-incomplete-unassigned'), (7, 'base-incomplete-assigned'), (8, 'repair-add'), (9, 'repair-purge');
CREATE TABLE event_reassignment(
  event_pk INTEGER PRIMARY KEY,
  reassignment_id BLOB NOT NULL,
  source_sync INTEGER NOT NULL,
  target_sync INTEGER NOT NULL,
  exclusivity INTEGER,
  submitter TEXT,
  other_offset INTEGER                         -- base entries: the offset of the unassignment or assignment itself
);
-- Bytes of records and events that cannot be rebuilt from blob, layout and shape. form 1: a whole frame, 2: an event.
CREATE TABLE event_raw(event_pk INTEGER PRIMARY KEY, form INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE hosting(
  source_pk INTEGER NOT NULL,
  off INTEGER NOT NULL,
  n INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  party_pk INTEGER NOT NULL,
  participant TEXT NOT NULL,
  kind TEXT NOT NULL,                          -- added | changed | revoked | onboarding
  permission INTEGER NOT NULL,                 -- 1 submission, 2 confirmation, 3 observation, 0 none
  PRIMARY KEY(source_pk, off, n)
) WITHOUT ROWID;

-- Derived from event.
CREATE TABLE activation(
  contract_pk INTEGER NOT NULL,
  source_pk INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  act_event INTEGER NOT NULL,
  act_off INTEGER NOT NULL,
  template_pk INTEGER,
  counter INTEGER NOT NULL,
  deact_off INTEGER,
  deact_event INTEGER,
  deact_kind INTEGER,                          -- event kind, or 0: superseded by a newer activation
  PRIMARY KEY(contract_pk, source_pk, sync_pk, act_event)
) WITHOUT ROWID;
CREATE TABLE reassignment(
  reassign_pk INTEGER PRIMARY KEY,
  source_pk INTEGER NOT NULL,
  reassignment_id BLOB NOT NULL,
  contract_pk INTEGER NOT NULL,
  source_sync INTEGER NOT NULL,
  target_sync INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  u_off INTEGER,
  u_event INTEGER,
  exclusivity INTEGER,
  a_off INTEGER,
  a_event INTEGER,
  UNIQUE(source_pk, reassignment_id, contract_pk)
);
CREATE INDEX reassignment_by_contract ON reassignment(contract_pk);
CREATE INDEX reassignment_open ON reassignment(source_pk) WHERE u_off IS NULL OR a_off IS NULL;
-- Deactivations that closed nothing.
CREATE TABLE orphan(
  contract_pk INTEGER NOT NULL,
  event_pk INTEGER NOT NULL,
  PRIMARY KEY(contract_pk, event_pk)
) WITHOUT ROWID;

CREATE TABLE finding(
  finding_pk INTEGER PRIMARY KEY,
  source_pk INTEGER NOT NULL,
  code TEXT NOT NULL,
  level TEXT NOT NULL,                         -- E, W or N
  off INTEGER,
  contract_pk INTEGER,
  event_pk INTEGER,
  detail TEXT
);
CREATE TABLE sync_time(
  source_pk INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  off INTEGER NOT NULL,
  record_time INTEGER NOT NULL,
  PRIMARY KEY(source_pk, sync_pk, off)
) WITHOUT ROWID;

-- Documented views for `acs store sql`.
CREATE VIEW active AS
  SELECT s.name AS source, lower(hex(c.contract_id)) AS contract_id, y.sync_id AS synchronizer, a.counter,
         a.act_off AS since_offset, t.package_id, t.package_name, t.module_name, t.entity_name, c.created_at, c.set_pk
  FROM activation a JOIN source s USING(source_pk) JOIN contract c USING(contract_pk)
       JOIN synchronizer y USING(sync_pk) LEFT JOIN template t ON t.template_pk = c.template_pk
  WHERE a.deact_off IS NULL AND s.base_offset IS NOT NULL;
CREATE VIEW intervals AS
  SELECT s.name AS source, lower(hex(c.contract_id)) AS contract_id, y.sync_id AS synchronizer, a.counter,
         a.act_off AS from_offset, a.deact_off AS to_offset, k.name AS closed_by
  FROM activation a JOIN source s USING(source_pk) JOIN contract c USING(contract_pk)
       JOIN synchronizer y USING(sync_pk) LEFT JOIN event_kind k ON k.kind = a.deact_kind;
CREATE VIEW events AS
  SELECT s.name AS source, e.off AS offset, e.node_id, k.name AS kind, lower(hex(c.contract_id)) AS contract_id,
         y.sync_id AS synchronizer, e.counter, u.record_time, lower(hex(u.update_id)) AS update_id, e.event_pk
  FROM event e JOIN source s USING(source_pk) JOIN contract c USING(contract_pk) JOIN synchronizer y USING(sync_pk)
       JOIN event_kind k USING(kind)
       LEFT JOIN update_tx u ON u.source_pk = e.source_pk AND u.off = e.off;
CREATE VIEW parties AS
  SELECT p.party, m.set_pk, CASE m.role WHEN 1 THEN 'signatory' ELSE 'observer' END AS role
  FROM party p JOIN party_set_member m USING(party_pk);
CREATE VIEW templates AS
  SELECT t.package_id, t.package_name, t.module_name, t.entity_name, count(c.contract_pk) AS contracts
  FROM template t LEFT JOIN contract c USING(template_pk) GROUP BY t.template_pk;
CREATE VIEW reassignments AS
  SELECT s.name AS source, lower(hex(r.reassignment_id)) AS reassignment_id, lower(hex(c.contract_id)) AS contract_id,
         x.sync_id AS source_synchronizer, y.sync_id AS target_synchronizer, r.counter,
         r.u_off AS unassigned_offset, r.exclusivity, r.a_off AS assigned_offset
  FROM reassignment r JOIN source s USING(source_pk) JOIN contract c USING(contract_pk)
       JOIN synchronizer x ON x.sync_pk = r.source_sync JOIN synchronizer y ON y.sync_pk = r.target_sync;
CREATE VIEW findings AS
  SELECT s.name AS source, f.code, f.level, f.off AS offset, lower(hex(c.contract_id)) AS contract_id, f.detail
  FROM finding f JOIN source s USING(source_pk) LEFT JOIN contract c USING(contract_pk);
