import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { readSalt, readV2AuthenticationData } from '../../src/hash/authenticationData.js';
import { contractIdParts, hasherFor, withComputedId } from '../../src/hash/computeContractId.js';
import { HashBuffer } from '../../src/hash/hashBuffer.js';
import { v2TimePrefix, writeUnicum } from '../../src/hash/unicum.js';
import type { AcsError } from '../../src/io/error.js';
import { fixture, jsonLines } from '../fixtures.js';
import { corpusPackages } from './corpusPackages.js';

interface Vector {
  name: string;
  contract_id_version?: 'V10' | 'V11' | 'V12' | 'V2_0';
  contract_id?: string;
  contract_hash?: string;
  created_event_blob: string;
  canton_hashes?: { purpose: number; preimage: string; multihash: string }[];
  key?: { global_key_hash: string };
  hashing_error?: string;
  authentication?: string;
  salt_inputs?: { relative_contract_id?: string };
}

interface Remapped {
  name: string;
  old_blob?: string;
  old_contract_id: string;
  old_contract_hash?: string;
  new_blob?: string;
  new_contract_id?: string;
  new_contract_hash?: string;
  new_key_hash?: string;
  error?: string;
  authentication?: string;
}

const packages = await corpusPackages();
const vectors = jsonLines<Vector>(fixture('contract-ids/vectors.jsonl.gz'));
const blobOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

function verdictOf(blob: Buffer): string {
  return authenticate(new BlobView().parse(blob), { packages }).code;
}

describe('contract id vectors', () => {
  it('gives contract hash, key hash and id of every contract, in all four id versions', () => {
    const counts: Record<string, number> = {};
    for (const v of vectors) {
      if (v.contract_id_version === undefined) continue;
      const blob = blobOf(v.created_event_blob);
      const instance = decodeBlob(blob);
      const parts = contractIdParts(instance, { packages });
      expect(parts.contractHash.toString('hex'), v.name).toBe(v.contract_hash);
      expect(parts.contractId, v.name).toBe(v.contract_id);
      if (v.key !== undefined) expect(parts.keyHash?.toString('hex'), v.name).toBe(v.key.global_key_hash);
      expect(encodeBlob(withComputedId(instance, { packages })).toString('hex')).toBe(v.created_event_blob);
      expect(verdictOf(blob), v.name).toBe('VALID');
      counts[v.contract_id_version] = (counts[v.contract_id_version] ?? 0) + 1;
    }
    expect(counts).toEqual({ V10: 13, V11: 13, V12: 13, V2_0: 13 });
  });

  it('builds every recorded unicum pre-image, and both hashes of V2 ids', () => {
    let preimages = 0;
    for (const v of vectors) {
      if (v.canton_hashes === undefined || v.contract_hash === undefined) continue;
      const view = new BlobView().parse(blobOf(v.created_event_blob));
      const v2 = v.contract_id_version === 'V2_0';
      const read = v2 ? readV2AuthenticationData : readSalt;
      const salt = read(view.buf, view.authenticationStart, view.authenticationEnd);
      const out = new HashBuffer();
      writeUnicum(out, view, salt.start, blobOf(v.contract_hash), !v2);
      const [unicum] = v.canton_hashes;
      expect(out.view().toString('hex'), v.name).toBe(unicum.preimage);
      expect(`1220${out.sha256().toString('hex')}`).toBe(unicum.multihash);
      preimages++;
      const relative = v.salt_inputs?.relative_contract_id;
      if (!v2 || relative === undefined) continue;
      const hash = hasherFor(packages).v2RelativeHash(view, blobOf(v.contract_hash));
      expect(relative.endsWith(`00${hash.toString('hex')}`)).toBe(true);
      expect(relative.slice(2, 12)).toBe(v2TimePrefix(view.createdAt).toString('hex'));
    }
    expect(preimages).toBe(52);
  });

  it('treats explicit trailing Nones as the real code does: ca10 only', () => {
    const cases = vectors.filter((v) => v.contract_id_version === undefined);
    expect(cases.map((v) => v.name)).toEqual(
      ['V10', 'V11', 'V12'].map((version) => `explicit-trailing-none/${version}`),
    );
    for (const v of cases) {
      const accepted = v.authentication === 'accept';
      if (v.hashing_error === undefined) {
        const view = new BlobView().parse(blobOf(v.created_event_blob));
        expect(contractIdParts(decodeBlob(view.buf)).contractId).toBe(v.contract_id);
        const verdict = authenticate(view, { packages });
        expect(verdict.code, v.name).toBe(accepted ? 'VALID' : 'ILL_TYPED');
      } else {
        const old = decodeBlob(blobOf(cases[0].created_event_blob));
        expect(() => contractIdParts(old, { packages, version: 'V12' })).toThrow(
          expect.objectContaining({ code: 'TYPE_TRAILING_NONE' }) as AcsError,
        );
      }
    }
  });
});

describe('rewritten contracts', () => {
  for (const file of ['remapped', 'remapped-2']) {
    it(`gives every contract of ${file} its new id`, () => {
      for (const line of jsonLines<Remapped>(fixture(`contract-ids/${file}.jsonl.gz`))) {
        if (line.old_blob !== undefined) expect(verdictOf(blobOf(line.old_blob)), line.name).toBe('VALID');
        if (line.new_blob === undefined) {
          // The real code refused to hash it: there is nothing to compare.
          expect(line.error, line.name).toMatch(/TranslationFailed/);
          continue;
        }
        const instance = decodeBlob(blobOf(line.new_blob));
        const accepted = line.authentication === 'accept';
        expect(verdictOf(blobOf(line.new_blob)), line.name).toBe(accepted ? 'VALID' : 'ILL_TYPED');
        const parts = contractIdParts(instance, { packages });
        expect(parts.contractHash.toString('hex'), line.name).toBe(line.new_contract_hash);
        expect(parts.contractId, line.name).toBe(line.new_contract_id);
        if (line.new_key_hash !== undefined) expect(parts.keyHash?.toString('hex')).toBe(line.new_key_hash);
      }
    });
  }
});
