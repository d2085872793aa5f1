-- Running commitment states, kept by `acs commitment STORE --keep` (src/store/commitments.ts). Derived from activation:
-- may be deleted at any time, they are then computed anew.
CREATE TABLE commitment_head(
  source_pk INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  scheme TEXT NOT NULL,
  off INTEGER NOT NULL,                        -- the offset the states hold for
  generation INTEGER NOT NULL,                 -- of the source; states of an earlier one are void
  PRIMARY KEY(source_pk, sync_pk, scheme)
) WITHOUT ROWID;
CREATE TABLE commitment_group(
  source_pk INTEGER NOT NULL,
  sync_pk INTEGER NOT NULL,
  scheme TEXT NOT NULL,
  parties TEXT NOT NULL,                       -- one per line, in the scheme's order
  contracts INTEGER NOT NULL,
  state BLOB NOT NULL,                         -- 2048 bytes
  UNIQUE(source_pk, sync_pk, scheme, parties)
);
