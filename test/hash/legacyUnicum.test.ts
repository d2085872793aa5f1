import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { lf1ContractHash, lf1KeyHash, untypedKeyHash } from '../../src/hash/contractHash.js';
import { HashBuffer } from '../../src/hash/hashBuffer.js';
import { legacyUnicum, writeUnicum } from '../../src/hash/unicum.js';

/** No vectors of 2.x ids exist; what can be checked is that the parts agree with the proven 3.x ones. */
describe('ids of Canton 2.x', () => {
  const salt = Buffer.alloc(32, 7);
  const contractHash = Buffer.alloc(32, 9);
  const input = {
    salt,
    contractHash,
    createdAt: 1_700_000_000_123_456n,
    signatories: ['bob', 'alice', 'bob'],
    observers: ['carol'],
  };

  it('ca02 has the pre-image of 3.x', () => {
    const buf = Buffer.concat([salt, Buffer.from('alicebobcarol'), Buffer.alloc(32, 5)]);
    const parts = {
      buf,
      signatoryBorders: [32, 37, 37, 40],
      observerBorders: [40, 45],
      maintainerBorders: [],
      hasKey: false,
      keyHashStart: 45,
      keyHashEnd: 77,
      createdAt: input.createdAt,
      createdAtNumber: Number(input.createdAt),
    };
    const out = new HashBuffer();
    writeUnicum(out, parts, 0, contractHash);
    expect(legacyUnicum({ prefix: 'ca02', ...input })).toEqual(out.sha256());
    writeUnicum(out, { ...parts, hasKey: true, maintainerBorders: [32, 37] }, 0, contractHash);
    const key = { hash: Buffer.alloc(32, 5), maintainers: ['alice'] };
    expect(legacyUnicum({ prefix: 'ca02', ...input, key })).toEqual(out.sha256());
  });

  it('ca01 and ca00 leave the stakeholders out, ca00 hashes the salt as a message', () => {
    const tail = new HashBuffer().instant(input.createdAt).raw(contractHash).view();
    const ca01 = new HashBuffer().i32(29).raw(salt).raw(tail);
    expect(legacyUnicum({ prefix: 'ca01', ...input })).toEqual(ca01.sha256());
    const ca00 = new HashBuffer().i32(29).raw(Buffer.from('08011220', 'hex')).raw(salt).raw(tail);
    expect(legacyUnicum({ prefix: 'ca00', ...input })).toEqual(ca00.sha256());
  });

  it('ca03 binds the package name', () => {
    const ids = [undefined, 'p', 'q'].map((packageName) =>
      legacyUnicum({
        prefix: 'ca03',
        ...input,
        ...(packageName === undefined ? {} : { packageName }),
      }).toString('hex'),
    );
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain(legacyUnicum({ prefix: 'ca02', ...input }).toString('hex'));
  });

  it('contract and key hashes follow the formulas of the spec', () => {
    const template = { packageId: 'P', module: 'M.N', name: 'T' };
    const value = encodeValue({ kind: 'party', value: 'alice' });
    const qualified = '00000002000000014d000000014e000000010000000154';
    const party = '00000005616c696365';
    const sha = (hex: string): Buffer => new HashBuffer().raw(Buffer.from(hex, 'hex')).sha256();
    expect(lf1ContractHash(template, value)).toEqual(sha(`00050000000150${qualified}${party}`));
    expect(lf1KeyHash(undefined, template, value)).toEqual(sha(`00020000000150${qualified}${party}`));
    expect(lf1KeyHash('p', template, value)).toEqual(sha(`0102000000022370${qualified}${party}`));
    expect(untypedKeyHash('p', template, value)).toEqual(sha(`0102${qualified}0000000170${party}`));
  });
});
