-- Contracts are numbered by arrival and stakeholder set (src/store/contractNumber.ts), so that the contracts of a set lie
-- side by side. Numbers below 2^32 are older and stay as they are; they are the numbers of their blobs as well.
ALTER TABLE contract_blob RENAME COLUMN contract_pk TO blob_pk;
DROP INDEX IF EXISTS contract_by_set;
-- Contracts whose number does not tell their stakeholder set: older ones, and those whose set became known later.
CREATE INDEX contract_elsewhere ON contract(set_pk)
  WHERE contract_pk < 4294967296 OR (contract_pk / 65536) % 16384 <> set_pk % 16384;
