-- Contracts are numbered by arrival and stakeholder set (src/store/contractNumber.ts), so that the contracts of a set lie
-- side by side. Numbers below 2^32 are older and stay as they are; they are the numbers of their blobs as well.
ALTER TABLE contract_blob RENAME COLUMN contract_pk TO blob_pk;
