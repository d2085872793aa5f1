import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blake2xb } from '../../src/commitment/blake2xb.js';
import { blake3Xof } from '../../src/commitment/blake3Xof.js';
import {
  appendParties,
  contractElement,
  writeContractElement,
  writeRawContractElement,
} from '../../src/commitment/contractElement.js';
import type { EngineKind } from '../../src/commitment/ltHashEngine.js';
import {
  addState,
  commitmentLogText,
  commitmentOf,
  emptyState,
  isEmptyState,
  parseCommitment,
  stateFromHex,
  statesEqual,
  stateToHex,
  subtractState,
} from '../../src/commitment/lthash16.js';
import { openEngine } from '../../src/commitment/openEngine.js';
import { hex, json, jsonLines, sha256 } from './vectors.js';

interface Vectors {
  blake2xbPublished: { inputHex: string; outLen: number; outHex: string }[];
  expand2048: {
    name: string;
    inputHex: string | null;
    inputZeroBytes?: number;
    first64Hex: string;
    last64Hex: string;
    outSha256: string;
  }[];
  lthash16Folly: { ops: ['add' | 'remove', string][]; resultHex: string };
  lthash16Misc: {
    emptySha256: string;
    emptyHashedCommitmentHex: string;
    removeAbcFromEmpty: { first16Hex: string; sha256: string };
    addAbc: { first16Hex: string; sha256: string };
  };
  contractEntries: {
    contractId: string;
    reassignmentCounter: string | number;
    entryHex: string;
    expansionFirst32Hex: string;
    expansionSha256: string;
  }[];
  alphaBlake3: {
    expand: { inputHex: string; first32Hex: string; sha256: string }[];
    singleEntry: {
      contractId: string;
      reassignmentCounter: number;
      party1: string;
      party2: string;
      entryHex: string;
      expansionFirst32Hex: string;
      expansionSha256: string;
    };
  };
}

const vectors = json<Vectors>('commitments/lthash16-vectors.json');
const KINDS: EngineKind[] = ['wasm', 'javascript'];
const bytesOf = (text: string) => Buffer.from(text, 'hex');

describe('blake2xb', () => {
  it('equals the published vectors for short outputs', () => {
    expect(vectors.blake2xbPublished.length).toBeGreaterThan(5);
    for (const { inputHex, outLen, outHex } of vectors.blake2xbPublished) {
      expect(hex(blake2xb(bytesOf(inputHex), outLen))).toBe(outHex);
    }
  });
});

describe.each(KINDS)('the %s engine', (kind) => {
  it('expands to 2048 bytes as the vectors say', () => {
    const engine = openEngine('blake2xb', kind);
    expect(engine.kind).toBe(kind);
    for (const vector of vectors.expand2048) {
      const input =
        vector.inputHex === null ? Buffer.alloc(vector.inputZeroBytes ?? 0) : bytesOf(vector.inputHex);
      const out = engine.expand(input);
      expect(hex(out.subarray(0, 64)), vector.name).toBe(vector.first64Hex);
      expect(hex(out.subarray(-64)), vector.name).toBe(vector.last64Hex);
      expect(sha256(out), vector.name).toBe(vector.outSha256);
    }
  });

  it('equals the published LtHash16 vector', () => {
    const engine = openEngine('blake2xb', kind);
    const slot = engine.open();
    for (const [operation, element] of vectors.lthash16Folly.ops) {
      engine.change(slot, bytesOf(element), operation === 'add' ? 1 : -1);
    }
    expect(stateToHex(engine.read(slot))).toBe(vectors.lthash16Folly.resultHex);
  });

  it('equals every state the real implementation computed', () => {
    const cases = jsonLines<{
      name: string;
      operations: { op: 'add' | 'remove'; bytes: string }[];
      state: string;
      empty: boolean;
      hashed_acs_commitment_multihash: string;
    }>('commitments/lthash16.jsonl.gz');
    expect(cases).toHaveLength(13);
    const engine = openEngine('blake2xb', kind);
    for (const { name, operations, state, empty, hashed_acs_commitment_multihash } of cases) {
      const slot = engine.open();
      for (const { op, bytes } of operations) engine.change(slot, bytesOf(bytes), op === 'add' ? 1 : -1);
      const found = engine.read(slot);
      expect(stateToHex(found), name).toBe(state);
      expect(isEmptyState(found), name).toBe(empty);
      expect(hex(commitmentOf(found)), name).toBe(hashed_acs_commitment_multihash);
      engine.close(slot);
    }
  });

  it('removes before adding, and wraps', () => {
    const engine = openEngine('blake2xb', kind);
    const slot = engine.open();
    engine.change(slot, Buffer.from('abc'), -1);
    expect(sha256(engine.read(slot))).toBe(vectors.lthash16Misc.removeAbcFromEmpty.sha256);
    engine.change(slot, Buffer.from('abc'), 1);
    expect(isEmptyState(engine.read(slot))).toBe(true);
    engine.change(slot, Buffer.from('abc'), 1);
    expect(sha256(engine.read(slot))).toBe(vectors.lthash16Misc.addAbc.sha256);
  });

  it('gives an empty state for a reused slot', () => {
    const engine = openEngine('blake2xb', kind);
    const slot = engine.open();
    engine.change(slot, Buffer.from('a'), 1);
    engine.close(slot);
    expect(engine.open()).toBe(slot);
    expect(isEmptyState(engine.read(slot))).toBe(true);
  });

  it('keeps states while its memory grows', () => {
    const engine = openEngine('blake2xb', kind);
    const first = engine.open();
    engine.change(first, Buffer.from('abc'), 1);
    const slots = Array.from({ length: 500 }, () => engine.open());
    expect(new Set(slots).size).toBe(500);
    for (const slot of slots) expect(isEmptyState(engine.read(slot))).toBe(true);
    expect(sha256(engine.read(first))).toBe(vectors.lthash16Misc.addAbc.sha256);
  });
});

describe('elements', () => {
  it('are the bytes of the vectors', () => {
    const engine = openEngine('blake2xb');
    for (const v of vectors.contractEntries) {
      const element = contractElement(v.contractId, BigInt(v.reassignmentCounter));
      expect(hex(element)).toBe(v.entryHex);
      const expansion = engine.expand(element);
      expect(hex(expansion.subarray(0, 32))).toBe(v.expansionFirst32Hex);
      expect(sha256(expansion)).toBe(v.expansionSha256);
    }
  });

  it.each(KINDS)('are the bytes of the real implementation, and so are their states (%s)', (kind) => {
    const cases = jsonLines<{
      contract_id: string;
      reassignment_counter: string;
      element_bytes: string;
      state_sha256: string;
      state_first_32_bytes: string;
    }>('commitments/elements.jsonl');
    expect(cases).toHaveLength(42);
    const engine = openEngine('blake2xb', kind);
    for (const c of cases) {
      const element = contractElement(c.contract_id, BigInt(c.reassignment_counter));
      expect(hex(element)).toBe(c.element_bytes);
      const raw = Buffer.alloc(300);
      const id = Buffer.from(`ff${c.contract_id}ff`, 'hex');
      const end = writeRawContractElement(raw, id, 1, id.length - 1, BigInt(c.reassignment_counter));
      expect(hex(raw.subarray(0, end))).toBe(c.element_bytes);
      const state = engine.expand(element);
      expect(sha256(state)).toBe(c.state_sha256);
      expect(hex(state.subarray(0, 32))).toBe(c.state_first_32_bytes);
    }
  });

  it('refuse what is not a contract id or a counter', () => {
    for (const id of ['', '0', '00AB', 'xy', '00'.repeat(128)]) {
      expect(() => contractElement(id, 0n)).toThrow(
        expect.objectContaining({ code: 'COMMITMENT_BAD_CONTRACT_ID' }),
      );
    }
    for (const bytes of [0, 128]) {
      expect(() => writeRawContractElement(Buffer.alloc(780), Buffer.alloc(bytes), 0, bytes, 0n)).toThrow(
        expect.objectContaining({ code: 'COMMITMENT_BAD_CONTRACT_ID' }),
      );
    }
    for (const counter of [-1n, 1n << 63n]) {
      expect(() => contractElement('00', counter)).toThrow(
        expect.objectContaining({ code: 'COMMITMENT_BAD_COUNTER' }),
      );
    }
    expect(() => appendParties(Buffer.alloc(780), 10, 'a'.repeat(800), 'b')).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_BAD_PARTY' }),
    );
  });
});

describe('the BLAKE3 variant', () => {
  it('equals the vectors and the real implementation', () => {
    for (const { inputHex, first32Hex, sha256: digest } of vectors.alphaBlake3.expand) {
      const out = blake3Xof(bytesOf(inputHex), 2048);
      expect(hex(out.subarray(0, 32))).toBe(first32Hex);
      expect(sha256(out)).toBe(digest);
    }
    const cases = jsonLines<{ name: string; bytes: string; state: string }>(
      'commitments/lthash16-blake3.jsonl.gz',
    );
    expect(cases).toHaveLength(4);
    const engine = openEngine('blake3');
    for (const { name, bytes, state } of cases) {
      expect(stateToHex(engine.expand(bytesOf(bytes))), name).toBe(state);
    }
  });

  it('hashes a contract with two parties', () => {
    const { singleEntry } = vectors.alphaBlake3;
    const buffer = Buffer.alloc(780);
    const contract = writeContractElement(
      buffer,
      singleEntry.contractId,
      BigInt(singleEntry.reassignmentCounter),
    );
    const length = appendParties(buffer, contract, singleEntry.party1, singleEntry.party2);
    expect(hex(buffer.subarray(0, length))).toBe(singleEntry.entryHex);
    const out = blake3Xof(buffer.subarray(0, length), 2048);
    expect(hex(out.subarray(0, 32))).toBe(singleEntry.expansionFirst32Hex);
    expect(sha256(out)).toBe(singleEntry.expansionSha256);
  });

  it('refuses an element longer than a chunk, and a WebAssembly engine', () => {
    expect(() => blake3Xof(Buffer.alloc(1025), 2048)).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_ELEMENT_TOO_LONG' }),
    );
    expect(() => openEngine('blake3', 'wasm')).toThrow(
      expect.objectContaining({ code: 'COMMITMENT_NO_WASM' }),
    );
  });
});

describe('states', () => {
  it('have a commitment, also the empty one', () => {
    expect(sha256(emptyState())).toBe(vectors.lthash16Misc.emptySha256);
    const commitment = commitmentOf(emptyState());
    expect(hex(commitment)).toBe(vectors.lthash16Misc.emptyHashedCommitmentHex);
    expect(commitmentLogText(commitment)).toBe('SHA-256:e2c0cf0361cb...');
    expect(parseCommitment(hex(commitment))).toEqual(commitment);
  });

  it('refuse a wrong size and wrong text', () => {
    const bad = expect.objectContaining({ code: 'COMMITMENT_BAD_STATE' });
    expect(() => stateFromHex('00')).toThrow(bad);
    expect(() => stateFromHex('zz')).toThrow(bad);
    expect(() => commitmentOf(new Uint8Array(2047))).toThrow(bad);
    expect(() => openEngine('blake2xb').write(0, new Uint8Array(1))).toThrow(bad);
    for (const text of ['', '1220', `1120${'0'.repeat(64)}`, `1220${'g'.repeat(64)}`]) {
      expect(() => parseCommitment(text)).toThrow(expect.objectContaining({ code: 'COMMITMENT_BAD_HASH' }));
    }
  });

  it('add and subtract lane by lane, modulo 2^16', () => {
    const state = fc.uint8Array({ minLength: 2048, maxLength: 2048 });
    fc.assert(
      fc.property(state, state, (a, b) => {
        const sum = a.slice();
        addState(sum, b);
        const lane = (s: Uint8Array, i: number) => s[2 * i]! + 256 * s[2 * i + 1]!;
        for (let i = 0; i < 1024; i += 97) expect(lane(sum, i)).toBe((lane(a, i) + lane(b, i)) % 65_536);
        const engine = openEngine('blake2xb', 'wasm');
        const slot = engine.open();
        engine.write(slot, a);
        engine.combine(slot, b, 1);
        expect(statesEqual(engine.read(slot), sum)).toBe(true);
        engine.combine(slot, b, -1);
        subtractState(sum, b);
        expect(statesEqual(engine.read(slot), a)).toBe(true);
        expect(statesEqual(sum, a)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the two engines', () => {
  it('agree on any elements in any order', () => {
    const change = fc.record({
      slot: fc.nat(3),
      element: fc.oneof(
        fc.uint8Array({ minLength: 0, maxLength: 600 }),
        fc.constantFrom(127, 128, 129, 255, 256, 257, 384, 512, 2048, 2049, 4096, 5000).map((n) => {
          return new Uint8Array(n).fill(n);
        }),
      ),
      sign: fc.constantFrom<1 | -1>(1, -1),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.array(change, { maxLength: 10 }), (some, more) => {
        const wasm = openEngine('blake2xb', 'wasm');
        const javascript = openEngine('blake2xb', 'javascript');
        for (let i = 0; i < 4; i++) expect(wasm.open()).toBe(javascript.open());
        for (const changes of [some, [...more].reverse()]) {
          for (const { slot, element, sign } of changes) {
            wasm.change(slot, element, sign);
            javascript.change(slot, element, sign);
          }
          for (let i = 0; i < 4; i++) expect(statesEqual(wasm.read(i), javascript.read(i))).toBe(true);
        }
        // Undo everything in another order: empty again.
        for (const { slot, element, sign } of [...some, ...more].reverse())
          wasm.change(slot, element, sign === 1 ? -1 : 1);
        for (let i = 0; i < 4; i++) expect(isEmptyState(wasm.read(i))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
