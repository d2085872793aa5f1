import { describe, expect, it } from 'vitest';
import { BlobView } from '../../src/contract/blob.js';
import { ContractView } from '../../src/contract/contractView.js';
import { PlanCompiler } from '../../src/dar/plan.js';
import { authenticate, type Verdict } from '../../src/hash/authenticate.js';
import { typedContractHash, untypedContractHash } from '../../src/hash/contractHash.js';
import { AcsError } from '../../src/io/error.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
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

  it('notices every one-byte change of a blob, but for the fields the spec names', async () => {
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
        // One flipped bit, another value altogether, and zero: enough to meet every kind of damage.
        for (const flip of [0x01, 0x80, 0x55]) {
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
