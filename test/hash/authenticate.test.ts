import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { decodeBlob, encodeBlob } from '../../src/contract/contractInstance.js';
import { ContractView } from '../../src/contract/contractView.js';
import { authenticate } from '../../src/hash/authenticate.js';
import { readSalt, writeAuthenticationData } from '../../src/hash/authenticationData.js';
import { typedContractHash, untypedContractHash } from '../../src/hash/contractHash.js';
import { HashBuffer } from '../../src/hash/hashBuffer.js';
import { UntypedForm } from '../../src/hash/untypedForm.js';
import type { Verdict } from '../../src/hash/verdict.js';
import { AcsError } from '../../src/io/error.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { fixture, jsonLines, shared } from '../fixtures.js';
import { corpusPackages } from './corpusPackages.js';

const packages = await corpusPackages();

async function verdictsOf(file: string, given = packages): Promise<Map<string, number>> {
  const view = new ContractView();
  const counts = new Map<string, number>();
  await scanSnapshot(file, (record) => {
    view.of(record);
    const { code, version } = authenticate(view.blob, {
      representativePackageId: view.representativePackageId,
      packages: given,
    });
    const key = `${version} ${code}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  return counts;
}

describe('snapshots of the corpus', () => {
  const files = ['tiny', 'tiny-verbose', 'two-synchronizers', 'multi/participant1'];
  for (const name of files) {
    it(`finds every contract of ${name} valid with its DARs`, async () => {
      const counts = await verdictsOf(fixture(`snapshots/${name}.acs.gz`));
      expect([...counts.keys()].filter((key) => !key.endsWith(' VALID'))).toEqual([]);
      expect(counts.size).toBeGreaterThan(0);
    });
  }

  const big = shared('corpus/snapshots/big-20000.acs.gz');
  it.skipIf(big === undefined)('finds all 20 000 contracts of the big one valid', async () => {
    const counts = await verdictsOf(big as string);
    expect([...counts.keys()].every((key) => key.endsWith(' VALID'))).toBe(true);
    expect([...counts.values()].reduce((a, b) => a + b)).toBe(20_000);
  });

  it('never calls a ca12 contract valid without its package', async () => {
    const none = { ...packages, get: () => undefined, byName: () => [], ids: () => [] };
    const counts = await verdictsOf(fixture('snapshots/tiny.acs.gz'), none);
    expect([...counts.keys()].sort()).toEqual(['V10 VALID', 'V11 VALID', 'V12 NEEDS_PACKAGE']);
  });
});

describe('changed bytes', () => {
  /** Fields that no id binds (spec, section 6): a change there goes unnoticed. */
  const NOT_COVERED = ['discriminator', 'package id of a ca12 contract'];

  const BIT_FLIPS = [1, 2, 4, 8, 16, 32, 64, 128];

  it('notices every flipped bit of a blob, but for the fields the spec names', async () => {
    const view = new ContractView();
    const blobs: { blob: Buffer; representative: string }[] = [];
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
      view.of(record);
      blobs.push({
        blob: Buffer.from(record.createdEventBlob ?? []),
        representative: view.representativePackageId,
      });
    });
    expect(blobs.length).toBe(12);
    const missed = new Set<string>();
    const outcomes = new Set<string>();
    for (const { blob, representative } of blobs) {
      const original = new BlobView().parse(blob);
      for (let at = 0; at < blob.length; at++) {
        for (const flip of BIT_FLIPS) {
          const changed = Buffer.from(blob);
          changed[at] ^= flip;
          const result = verdictOrError(changed, representative);
          outcomes.add(result);
          if (result === 'VALID') missed.add(fieldAt(original, at));
        }
      }
    }
    expect([...missed].sort()).toEqual(NOT_COVERED);
    expect([...outcomes].sort()).toEqual([
      'ILL_TYPED',
      'MALFORMED_ID',
      'MISMATCH',
      // Same value, other bytes: a bool that is neither 0 nor 1, the unused high bits of a negative date.
      'NOT_CANONICAL',
      'NO_AUTHENTICATION_DATA',
      'UNSUPPORTED_VERSION',
      'VALID',
      'undecodable',
    ]);
  });

  function verdictOrError(blob: Buffer, representativePackageId: string): string {
    let verdict: Verdict;
    try {
      verdict = authenticate(new BlobView().parse(blob), { representativePackageId, packages });
    } catch (error) {
      if (error instanceof AcsError) return 'undecodable';
      throw error;
    }
    return verdict.remarks.includes('ENCODING_NOT_CANONICAL') ? 'NOT_CANONICAL' : verdict.code;
  }

  function fieldAt(view: BlobView, at: number): string {
    const id = view.contractIdStart;
    if (at > id && at < id + 33) return 'discriminator';
    const version = view.buf.toString('hex', id + 33, id + 35);
    if (version === 'ca12' && at >= view.templateStart && at < view.templateStart + 66) {
      return 'package id of a ca12 contract';
    }
    return `byte ${at}`;
  }
});

describe('hostile bytes', () => {
  it('a blob cut at every byte is never valid and never more than an error', async () => {
    const view = new ContractView();
    const blobs: Buffer[] = [];
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
      blobs.push(Buffer.from(view.of(record).record.createdEventBlob ?? []));
    });
    for (const blob of blobs) {
      for (let end = 0; end < blob.length; end++) {
        expect(() => new BlobView().parse(blob, 0, end)).toThrow(AcsError);
      }
    }
  });

  it('an argument cut at every byte, in a sound contract, is refused', async () => {
    const view = new ContractView();
    await scanSnapshot(fixture('snapshots/tiny.acs.gz'), (record) => {
      const instance = decodeBlob(Buffer.from(view.of(record).record.createdEventBlob ?? []));
      const whole = instance.createArgument;
      for (let end = 0; end < whole.length; end++) {
        const cut = encodeBlob({ ...instance, createArgument: whole.subarray(0, end) });
        let code: string;
        try {
          code = authenticate(new BlobView().parse(cut), { packages }).code;
        } catch (error) {
          expect(error).toBeInstanceOf(AcsError);
          continue;
        }
        expect(code).not.toBe('VALID');
      }
    });
  });

  it('authentication data cut at every byte is no salt', () => {
    const data = writeAuthenticationData(Buffer.alloc(32, 3));
    expect(readSalt(data, 0, data.length)).toEqual({ start: 8, end: 40 });
    for (let end = 0; end < data.length; end++) {
      expect(() => readSalt(data, 0, end)).toThrow(
        expect.objectContaining({ code: 'AUTHENTICATION_DATA' }) as AcsError,
      );
    }
    // The same message in another arrangement is read all the same.
    const moved = Buffer.concat([data.subarray(40), data.subarray(0, 40)]);
    expect(readSalt(moved, 0, moved.length)).toEqual({ start: 10, end: 42 });
  });

  it('text maps in any order and repeated fields have the hash of the canonical bytes', () => {
    const entry = (key: string): Buffer =>
      Buffer.concat([
        Buffer.from([0x0a, 8, 0x0a, 1]),
        Buffer.from(key),
        Buffer.from([0x12, 3, 0x42, 1, 0x78]),
      ]);
    const map = (...keys: string[]): Buffer =>
      Buffer.concat([Buffer.from([0x82, 0x01, 10 * keys.length]), ...keys.map(entry)]);
    for (const method of ['legacy', 'upgradeFriendly'] as const) {
      const hash = (bytes: Buffer): [string, boolean] => {
        const form = new UntypedForm();
        const out = new HashBuffer();
        form.write(out, method, bytes);
        return [out.sha256().toString('hex'), form.irregular];
      };
      const [sorted] = hash(map('a', 'b', 'c'));
      expect(hash(map('c', 'a', 'b'))).toEqual([sorted, true]);
      expect(hash(map('a', 'b', 'c'))).toEqual([sorted, false]);
      expect(() => hash(map('a', 'a'))).toThrow(AcsError);
    }
  });
});

describe('values of the corpus', () => {
  interface ValueVector {
    name: string;
    template: string;
    create_argument_lf_proto: string;
    contract_hash: Record<'Legacy' | 'UpgradeFriendlyUnsafe' | 'TypedNormalForm', string>;
  }

  it('gives the contract hash of all 130 values under the three methods', () => {
    const compiler = new PlanCompiler(packages);
    const packageId = 'fca05131f34a817d8ffc70a22c616ffb63104a04626f5a7a0b4f794d5613885d';
    const vectors = jsonLines<ValueVector>(fixture('values/vectors.jsonl.gz'));
    expect(vectors.length).toBe(130);
    for (const vector of vectors) {
      const [module, name] = vector.template.split(':');
      const template = { packageId, module, name };
      const argument = Buffer.from(vector.create_argument_lf_proto, 'hex');
      const plan = compiler.template(packageId, vector.template).arg;
      expect(
        {
          Legacy: untypedContractHash('legacy', 'acme-values', template, argument).toString('hex'),
          UpgradeFriendlyUnsafe: untypedContractHash(
            'upgradeFriendly',
            'acme-values',
            template,
            argument,
          ).toString('hex'),
          TypedNormalForm: typedContractHash('acme-values', template, plan, argument).toString('hex'),
        },
        vector.name,
      ).toEqual(vector.contract_hash);
    }
  });
});
