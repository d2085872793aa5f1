/** Test data made by the real implementation, read from `fixtures/`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const fixtures = new URL('../../fixtures/', import.meta.url);

export function fixture(name: string): Buffer {
  const bytes = readFileSync(new URL(name, fixtures));
  return name.endsWith('.gz') && !name.endsWith('.acs.gz') ? gunzipSync(bytes) : bytes;
}

export function fixturePath(name: string): string {
  return new URL(name, fixtures).pathname;
}

export function json<T>(name: string): T {
  return JSON.parse(fixture(name).toString('utf8')) as T;
}

export function jsonLines<T>(name: string): T[] {
  return fixture(name)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export interface CorpusContract {
  contract_id: string;
  reassignment_counter: string;
}

export interface CorpusGroup {
  participant: string;
  stakeholders: string[];
  hosting_participants: string[];
  contracts: CorpusContract[];
  digest_sha256: string;
  digest_first_32_bytes: string;
  digest_last_32_bytes: string;
}

export interface CorpusCommitment {
  data: 'as-snapshotted' | 'ideal';
  sender: string;
  counter_participant: string;
  period: string;
  from_exclusive_micros: string;
  to_inclusive_micros: string;
  shared_stakeholder_groups: number;
  shared_contracts: number;
  combined_sha256: string;
  combined_first_32_bytes: string;
  commitment_multihash: string;
  acs_commitment_message_proto_versioned: string;
}

export interface CorpusHosting {
  physical_synchronizer_id: string;
  participants: Record<string, { participant_uid: string; hosts: string[] }>;
  deliberate_differences: Record<string, string[]>;
}
