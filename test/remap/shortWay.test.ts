import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainTranscoder } from '../../src/contract/plainTranscoder.js';
import { decodeValue } from '../../src/contract/valueDecoder.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import { plainRecord } from '../../src/convert/plainLedgerApiValue.js';
import { loadDars } from '../../src/dar/catalog.js';
import { listParties } from '../../src/remap/listParties.js';
import { partyMap } from '../../src/remap/partyMap.js';
import { remapContracts } from '../../src/remap/remap.js';
import { PARTY_STAYS, ValueRewriter } from '../../src/remap/valueRewriter.js';
import { PlanCompiler } from '../../src/typed/typePlan.js';
import { BackwardWriter } from '../../src/wire/backwardWriter.js';
import { Interner } from '../../src/wire/interner.js';
import { readAll } from '../convert/readAll.js';
import { fixture, jsonLines } from '../fixtures.js';

let folder: string;
let compiler: PlanCompiler;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acs-short-'));
  compiler = new PlanCompiler(
    await loadDars([fixture('dars'), fixture('paint/acme-paint-1.0.0.dar')], { cacheDir: false }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const FILES = [
  'snapshots/tiny.acs.gz',
  'snapshots/tiny-verbose.acs.gz',
  'snapshots/two-synchronizers.acs.gz',
  'paint/old-ledger-with-references.acs.gz',
  'live/p1.export-acs.acme.acs.gz',
  'live/p1.export-acs.all-parties.acs.gz',
];

describe('the short way and the long way', () => {
  it.each(FILES)('give the same file and the same findings: %s', async (name) => {
    const input = fixture(name);
    const { parties } = await listParties([input], { compiler });
    for (const half of [false, true]) {
      const map = partyMap(
        parties
          .filter((_, i) => !half || i % 2 === 0)
          .map(({ party }) => ({
            old: party,
            new: `${party.split('::')[0].split('').reverse().join('')}::1220${'ef'.repeat(32)}`,
          })),
      );
      const run = async (longWay: boolean) => {
        const output = join(folder, `${longWay}.acs.gz`);
        const result = await remapContracts([input], {
          map,
          compiler,
          output,
          longWay,
          allow: new Set(['UNMAPPED_PARTY', 'TEXT_PARTY', 'DANGLING_REFERENCE', 'NOT_AUTHENTIC']),
          synchronizerMap: new Map([
            [(await readAll(input)).contracts[0].synchronizerId ?? '', `new::1220${'01'.repeat(32)}`],
          ]),
        });
        const plain = result.findings.map(({ code, count }) => `${code} ${count}`).sort();
        return {
          result,
          plain,
          bytes: result.refused.length > 0 ? Buffer.alloc(0) : gunzipSync(readFileSync(output)),
        };
      };
      const short = await run(false);
      const long = await run(true);
      expect(short.plain).toEqual(long.plain);
      expect(short.result.refused).toEqual(long.result.refused);
      expect(short.result).toMatchObject({
        contracts: long.result.contracts,
        newIds: long.result.newIds,
        referring: long.result.referring,
      });
      expect(short.bytes.equals(long.bytes)).toBe(true);
      expect(short.bytes.length).toBeGreaterThan(0);
    }
  });
});

describe('values from bytes to bytes', () => {
  const arguments_ = jsonLines<{ old_blob?: string; create_argument_lf_proto?: string }>(
    fixture('contract-ids/vectors.jsonl.gz'),
  ).flatMap((line) =>
    line.create_argument_lf_proto === undefined ? [] : [Buffer.from(line.create_argument_lf_proto, 'hex')],
  );

  it('transcodes to the Ledger API as values do', () => {
    expect(arguments_.length).toBeGreaterThan(40);
    const transcoder = new PlainTranscoder();
    for (const argument of arguments_) {
      const w = new BackwardWriter(16);
      expect(transcoder.record(w, argument, 0, argument.length)).toBe(true);
      expect(Buffer.from(w.view())).toEqual(plainRecord(decodeValue(argument)));
    }
  });

  it('copies canonical values unchanged, and declines or errs on cut ones', () => {
    const rules = {
      names: new Interner(),
      party: () => PARTY_STAYS,
      contractId: () => undefined,
      text: () => true,
    };
    const rewriter = new ValueRewriter(rules);
    const transcoder = new PlainTranscoder();
    for (const argument of arguments_) {
      const w = new BackwardWriter(16);
      expect(rewriter.rewrite(w, argument, 0, argument.length)).toBe(true);
      expect(Buffer.from(w.view())).toEqual(encodeValue(decodeValue(argument)));
      expect(rewriter.changed).toBe(false);
    }
    const [sample] = [...arguments_].sort((a, b) => b.length - a.length);
    for (let cut = 0; cut < sample.length; cut++) {
      const part = sample.subarray(0, cut);
      expect(rewriter.rewrite(new BackwardWriter(), part, 0, cut)).toBe(false);
      expect(transcoder.record(new BackwardWriter(), part, 0, cut)).toBe(false);
    }
  });
});
