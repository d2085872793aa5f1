/** What a remap reports, and what it refuses unless told otherwise (contract-id spec, section 7.6). */

export const REMAP_CODES = {
  UNMAPPED_PARTY: 'parties that the map does not have',
  MERGED_PARTIES: 'several old parties become one: stakeholders, keys and sets change their meaning',
  KEY_COLLISION: 'maps whose keys become equal: all but the last entry of each such key would be lost',
  TEXT_PARTY: 'texts that contain an old party id; texts are never changed',
  DANGLING_REFERENCE:
    'references to contracts that are in no input: if those get new ids elsewhere, the references dangle',
  NOT_AUTHENTIC: 'contracts whose id does not belong to their content: a new id would make them look genuine',
  ROLES_CHANGED: 'contracts whose stakeholders become fewer, or change their role',
  LF1_PAYLOAD: 'payloads of Daml-LF 1 (Canton 2.x) under a package that Canton 3 cannot load',
  SIGNATORIES_CHANGED: 'contracts whose signatories are other parties now: those parties never signed them',
  MINTED: 'contracts that got a newly minted id, because their source has nothing to check an id with',
  IN_FLIGHT: 'contracts in flight between synchronizers: they are not in the output and keep their old ids',
  UNUSED_MAPPING: 'parties of the map that occur in no contract',
  UNUSED_RENAME: 'synchronizers or packages to rename that no contract has',
  NOT_A_CANTON_PARTY: 'new party ids without fingerprint: no participant can host them',
  VIEWS_DROPPED: 'interface views were dropped: they would keep old parties',
  LABELS_DROPPED: 'labels of verbose events were dropped: no DAR has their template',
} as const;

export type RemapCode = keyof typeof REMAP_CODES;

/** Codes that stop a remap unless they are allowed. */
export const REFUSED_BY_DEFAULT: readonly RemapCode[] = [
  'UNMAPPED_PARTY',
  'MERGED_PARTIES',
  'KEY_COLLISION',
  'TEXT_PARTY',
  'DANGLING_REFERENCE',
  'NOT_AUTHENTIC',
  'ROLES_CHANGED',
  'LF1_PAYLOAD',
];

/** Codes that go with every ordinary remap: told, but no reason for a status other than 0. */
export const NOTICES: readonly RemapCode[] = ['SIGNATORIES_CHANGED', 'MINTED', 'UNUSED_MAPPING'];

/** A map whose keys collided; all of them are listed. */
export interface KeyCollision {
  contractId: string;
  /** Place in the argument (or `key` …), e.g. `balances[2]`. */
  path: string;
  /** Entries lost. */
  lost: number;
}
