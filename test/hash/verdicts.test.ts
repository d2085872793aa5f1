import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { authenticate } from '../../src/hash/authenticate.js';
import type { Verdict } from '../../src/hash/verdict.js';
import { AcsError } from '../../src/io/error.js';
import { fixture, jsonLines } from '../fixtures.js';
import { corpusPackages } from './corpusPackages.js';

interface Recorded {
  name: string;
  created_event_blob?: string;
  representative_package_id?: string;
  verdict?: 'accept' | 'reject' | 'exception';
  stage?: '' | 'decode' | 'contract-id-version' | 'authenticate';
  not_encodable?: string;
  hashing_error?: string;
}

interface OnParticipant {
  file?: string;
  name: string;
  offline?: string;
  offline_verdict?: string;
  participant: string;
  message: string;
}

const packages = await corpusPackages();

/** Rejected by the engine for what only it can compute; the ids match. Reported as valid with a remark. */
const ENGINE_ONLY = [
  ...['V10', 'V11', 'V12'].flatMap((version) => [
    `${version}/re-suffixed/ensures-violated-amount-0`,
    `${version}/re-suffixed/signatory-not-from-template`,
    `${version}/re-suffixed/stakeholder-missing`,
    `${version}/re-suffixed/stakeholder-extra`,
  ]),
];

/**
 * The stored key hash is not that of the key. The engine compares the key with the one the template computes and does
 * not look at the hash: a wrong hash passes, a wrong key does not. Both are reported as MISMATCH with a remark.
 */
const WRONG_KEY_HASH: Record<string, 'accept' | 'reject'> = {
  'V12/key/wrong-stored-hash-id-recomputed': 'accept',
  'V12/key/other-key-value-hash-kept-id-recomputed': 'reject',
  'V12/key/other-key-value-hash-kept-id-kept': 'reject',
};

/** The engine alone rejects these for want of the package; an import takes another one (recorded below). */
const OTHER_PACKAGE_USED = [
  ...['V10', 'V11', 'V12'].map((v) => `${v}/represented-by-unknown-package`),
  'V12/template-id/unknown-package',
];

type Outcome = { stage: string; verdict?: Verdict };

function outcome(line: Recorded): Outcome {
  try {
    const view = new BlobView().parse(Buffer.from(line.created_event_blob ?? '', 'hex'));
    const representativePackageId = line.representative_package_id ?? '';
    const verdict = authenticate(view, { representativePackageId, packages });
    switch (verdict.code) {
      case 'VALID':
        return {
          stage: verdict.remarks.includes('VERSION_NOT_IMPORTABLE') ? 'contract-id-version' : '',
          verdict,
        };
      case 'MALFORMED_ID':
      case 'UNSUPPORTED_VERSION':
        return { stage: 'contract-id-version', verdict };
      default:
        return { stage: 'authenticate', verdict };
    }
  } catch (error) {
    if (!(error instanceof AcsError)) throw error;
    return { stage: 'decode' };
  }
}

for (const file of ['verdicts', 'verdicts-2']) {
  describe(`real authenticator, ${file}`, () => {
    const lines = jsonLines<Recorded>(fixture(`contract-ids/${file}.jsonl.gz`));

    it('gives every recorded verdict, at its stage', () => {
      const wrong: string[] = [];
      let checked = 0;
      for (const line of lines) {
        if (line.verdict === undefined) {
          // The real code refused to make the case.
          expect(line.not_encodable ?? line.hashing_error, line.name).toBeDefined();
          continue;
        }
        checked++;
        const { stage, verdict } = outcome(line);
        if (ENGINE_ONLY.includes(line.name)) {
          expect(line.verdict).toBe('reject');
          expect(verdict?.code, line.name).toBe('VALID');
          expect(verdict?.remarks).toContain('NOT_CHECKABLE_OFFLINE');
        } else if (line.name in WRONG_KEY_HASH) {
          expect(line.verdict).toBe(WRONG_KEY_HASH[line.name]);
          expect(verdict?.code, line.name).toBe('MISMATCH');
          expect(verdict?.remarks).toEqual(['KEY_HASH_MISMATCH', 'NOT_CHECKABLE_OFFLINE']);
        } else if (OTHER_PACKAGE_USED.includes(line.name)) {
          expect(verdict?.code, line.name).toBe('VALID');
          expect(verdict?.remarks).toContain('TYPES_OF_OTHER_PACKAGE');
        } else {
          // Two malformed inputs make the real decoder throw; that is a decoding failure too.
          const expected = line.verdict === 'exception' ? 'decode' : (line.stage ?? '');
          if (stage !== expected) wrong.push(`${line.name}: ${expected} → ${stage} ${verdict?.reason ?? ''}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(checked).toBe(file === 'verdicts' ? 271 : 54);
    });
  });
}

describe('running participant', () => {
  it('agrees with the recorded verdicts, but for fallback packages and contracts it already knew', () => {
    const byName = new Map<string, Recorded>();
    for (const file of ['verdicts', 'verdicts-2']) {
      for (const line of jsonLines<Recorded>(fixture(`contract-ids/${file}.jsonl.gz`))) {
        byName.set(`${file} ${line.name}`, line);
      }
    }
    let checked = 0;
    let known = 0;
    for (const file of ['verdicts-on-participant', 'verdicts-2-on-participant']) {
      for (const line of jsonLines<OnParticipant>(fixture(`contract-ids/${file}.jsonl.gz`))) {
        const recorded = byName.get(`${line.file ?? 'verdicts'} ${line.name}`);
        if (recorded === undefined) continue;
        checked++;
        if (ENGINE_ONLY.includes(line.name) || line.name in WRONG_KEY_HASH) continue;
        // Its contract store held the id with other bytes: nothing the blob could tell.
        if (/exists in synchronizer, but does not match|differs from contract/.test(line.message)) {
          expect(outcome(recorded).stage, line.name).toBe('');
          known++;
          continue;
        }
        expect(outcome(recorded).stage === '', line.name).toBe(line.participant === 'accept');
      }
    }
    expect({ checked, known }).toEqual({ checked: 325, known: 14 });
  });
});
