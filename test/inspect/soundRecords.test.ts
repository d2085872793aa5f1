/** Records that pass in WebAssembly are those in which the checks in TypeScript find nothing; here both look at the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintInto } from '../../src/contract/idTable.js';
import { soundRecords } from '../../src/contract/usual/soundRecords.js';
import type { LfValue } from '../../src/contract/value.js';
import { encodeValue } from '../../src/contract/valueEncoder.js';
import type { Finding } from '../../src/inspect/finding.js';
import { fromError } from '../../src/inspect/finding.js';
import { recordChecker } from '../../src/inspect/recordChecker.js';
import { stretchChecker } from '../../src/inspect/stretchChecker.js';
import { AcsError } from '../../src/io/error.js';
import { RecordView } from '../../src/snapshot/record.js';
import { anyLfValue } from '../contract/arbitraryLfValue.js';
import { fixture, shared } from '../fixtures.js';
import { anyParts, framed, framesOf, lapiRecord, type Parts, record, usual } from './madeRecords.js';

/** One who looks at records one by one; with `passing` only at those that do not pass. */
function judge(passing: boolean) {
  const sound = soundRecords();
  let findings: Finding[] = [];
  const ids = new Uint32Array(2);
  const checker = recordChecker(
    (finding) => findings.push(finding),
    (blob) => fingerprintInto(blob.buf, blob.contractIdStart, blob.contractIdEnd, ids, 0),
    sound,
    {},
  );
  const view = new RecordView();
  return {
    look(frame: Buffer) {
      findings = [];
      ids.fill(0);
      sound.hold(frame);
      let passed = false;
      if (passing) {
        passed = sound.pass(0, frame.length) === frame.length;
        expect(sound.passed).toBe(passed ? 1 : 0);
        if (passed) ids.set(sound.fingerprints);
      }
      if (!passed) {
        let bodyStart = 0;
        while ((frame[bodyStart++] as number) >= 0x80);
        try {
          checker.visit(view.parse(frame, 0, bodyStart, frame.length, 0, 0));
        } catch (error) {
          if (!(error instanceof AcsError)) throw error;
          findings.push(fromError(view.locate(error) as AcsError, 'messages'));
        }
      }
      return { passed, seen: { findings, ids: [...ids], digest: sound.digest.hex() } };
    },
  };
}

/** Looks at frames in both ways and wants to see the same. */
function both() {
  const fast = judge(true);
  const slow = judge(false);
  return (frame: Buffer): boolean => {
    const { passed, seen } = fast.look(frame);
    expect(seen).toEqual(slow.look(frame).seen);
    return passed;
  };
}

const SNAPSHOTS = [
  'snapshots/tiny.acs.gz',
  'snapshots/tiny-verbose.acs.gz',
  'snapshots/two-synchronizers.acs.gz',
  'snapshots/multi/participant1.acs.gz',
  'snapshots/multi/participant2.acs.gz',
  'live2/stream/p1.export-5.acs.gz',
  'paint/old-ledger-with-references.acs.gz',
];

describe('records of real participants', () => {
  it.each(SNAPSHOTS)('%s: are judged alike', async (name) => {
    const look = both();
    const frames = await framesOf(fixture(name));
    let passed = 0;
    for (const frame of [...frames, ...frames]) if (look(frame)) passed++;
    // The first one of each template does not pass, nor do contracts with keys.
    expect(passed).toBeGreaterThan(frames.length / 2);
  });

  const big = shared('corpus/snapshots/big-20000.acs.gz');
  it.skipIf(big === undefined)('nearly all pass (needs ../shared)', async () => {
    const look = both();
    const frames = await framesOf(big as string);
    let passed = 0;
    for (const frame of frames) if (look(frame)) passed++;
    expect(passed).toBeGreaterThan(frames.length - 10);
  });

  it('with any byte changed: are judged alike', async () => {
    const look = both();
    const frames = (await framesOf(fixture('snapshots/multi/participant1.acs.gz'))).filter(
      (_, i) => i % 40 === 0,
    );
    let passed = 0;
    let stopped = 0;
    for (const frame of frames) {
      look(frame);
      for (let i = 3; i < frame.length; i++) {
        for (const flip of [0x01, 0x02, 0x80, frame[i] as number]) {
          const changed = Buffer.from(frame);
          (changed[i] as number) ^= flip;
          if (look(changed)) passed++;
          else stopped++;
        }
      }
    }
    // What an import does not use and nothing can be compared with, such as the offset, may change.
    expect(passed).toBeGreaterThan(100);
    expect(stopped).toBeGreaterThan(10_000);
  });

  it('with a piece cut out, doubled or put elsewhere: are judged alike', async () => {
    const look = both();
    const frames = await framesOf(fixture('snapshots/multi/participant1.acs.gz'));
    for (const frame of frames) look(frame);
    fc.assert(
      fc.property(
        fc.nat(frames.length - 1),
        fc.nat(),
        fc.nat(200),
        fc.nat(),
        fc.constantFrom('cut', 'double', 'move', 'short'),
        (n, from, length, to, how) => {
          const frame = frames[n] as Buffer;
          const body = frame.subarray(frame.findIndex((b) => b < 0x80) + 1);
          const start = from % body.length;
          const piece = body.subarray(start, start + length);
          const rest = Buffer.concat([body.subarray(0, start), body.subarray(start + length)]);
          const at = to % (rest.length + 1);
          const changed = {
            cut: () => rest,
            double: () => Buffer.concat([body.subarray(0, start), piece, body.subarray(start)]),
            move: () => Buffer.concat([rest.subarray(0, at), piece, rest.subarray(at)]),
            short: () => body.subarray(0, start),
          }[how]();
          look(framed(changed));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('a whole stretch: the numbers and places of what is found are those of its records', async () => {
    const frames = await framesOf(fixture('snapshots/multi/participant1.acs.gz'));
    const bad = Buffer.from(frames[20] as Buffer);
    bad[bad.indexOf('1220')] = 0x78;
    const all = [...frames.slice(0, 100), bad, ...frames.slice(100, 105), bad];
    const bytes = new Uint8Array(Buffer.concat(all));
    const checker = stretchChecker(1);
    const { findings, ids } = checker.check({
      bytes: bytes.buffer,
      end: bytes.length,
      offset: 7000,
      first: 50,
    });
    const offset = 7000 + frames.slice(0, 100).reduce((n, frame) => n + frame.length, 0);
    expect(findings.map((f) => f.record)).toEqual([150, 156]);
    expect(findings[0]).toMatchObject({ code: 'EVENT_DIFFERS', byteOffset: offset });
    expect(ids.length).toBe(2 * 107);
    expect(checker.totals()).toMatchObject({ contracts: 107, checkedBlobs: 107 });
  });
});

describe('records made by hand', () => {
  it('usual ones pass once their template and synchronizer are known', () => {
    const look = both();
    expect(look(record(usual))).toBe(false);
    expect(look(record(usual))).toBe(true);
    expect(look(record({ ...usual, reassignmentCounter: 127n }))).toBe(true);
    expect(look(record({ ...usual, templateId: { ...usual.templateId, entityName: 'Other' } }))).toBe(false);
    expect(look(record({ ...usual, templateId: { ...usual.templateId, entityName: 'Other' } }))).toBe(true);
    expect(look(record({ ...usual, synchronizerId: 'other::1220' }))).toBe(false);
    expect(look(record({ ...usual, synchronizerId: 'other::1220' }))).toBe(true);
    expect(look(record(usual))).toBe(true);
  });

  it('with odd parts that event and blob agree on: are judged alike', () => {
    const look = both();
    look(record(usual));
    fc.assert(
      fc.property(
        anyParts,
        fc.subarray(Object.keys(usual) as (keyof Parts)[], { minLength: 1 }),
        (odd, which) => {
          const parts: Parts = { ...usual };
          for (const part of which) Object.assign(parts, { [part]: odd[part] });
          look(record(parts, parts.argument === usual.argument ? undefined : Buffer.alloc(0)));
        },
      ),
      { numRuns: 4000 },
    );
  });

  it('many parties, in every order: are judged alike', () => {
    const look = both();
    look(record(usual));
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,20}$/), { maxLength: 80 });
    fc.assert(
      fc.property(names, fc.nat(80), fc.boolean(), (list, cut, sorted) => {
        const parties = sorted ? list.sort() : list;
        const half = Math.min(cut, parties.length);
        look(record({ ...usual, signatories: parties.slice(0, half), observers: parties.slice(half) }));
      }),
      { numRuns: 1000 },
    );
  });

  it('more templates than can be known: each passes when it comes again at once', () => {
    const look = both();
    for (let i = 0; i < 3000; i++) {
      const templateId = { ...usual.templateId, entityName: `Thing${i}` };
      const frame = record({ ...usual, templateId });
      look(frame);
      expect(look(frame)).toBe(true);
    }
  });
});

const fields = fc.array(anyLfValue, { minLength: 1, maxLength: 4 });

describe('arguments', () => {
  it.each<[string, LfValue]>([
    ['unit', { kind: 'unit' }],
    ['bool', { kind: 'bool', value: true }],
    ['int64', { kind: 'int64', value: -5n }],
    ['date', { kind: 'date', value: 20_000 }],
    ['timestamp', { kind: 'timestamp', value: 1_700_000_000_000_000n }],
    ['numeric', { kind: 'numeric', value: '-12.0500000000' }],
    ['party', { kind: 'party', value: 'alice::1220aa' }],
    ['text', { kind: 'text', value: 'a text of more than sixteen bytes' }],
    ['empty text', { kind: 'text', value: '' }],
    ['contract id', { kind: 'contractId', value: usual.contractId }],
    ['None', { kind: 'optional', value: null }],
    ['Some', { kind: 'optional', value: { kind: 'unit' } }],
    [
      'list',
      {
        kind: 'list',
        items: [
          { kind: 'int64', value: 1n },
          { kind: 'int64', value: 2n },
        ],
      },
    ],
    ['generic map', { kind: 'genMap', entries: [[{ kind: 'int64', value: 1n }, { kind: 'unit' }]] }],
    [
      'text map',
      {
        kind: 'textMap',
        entries: [
          ['a key of more than sixteen bytes', { kind: 'unit' }],
          ['b', { kind: 'unit' }],
        ],
      },
    ],
    ['empty text map', { kind: 'textMap', entries: [] }],
    ['record', { kind: 'record', fields: [{ kind: 'unit' }] }],
    ['variant', { kind: 'variant', tag: 'Some_Tag', value: { kind: 'unit' } }],
    ['enum', { kind: 'enum', tag: 'Red' }],
  ])('with a part of kind %s pass', (_, value) => {
    const look = both();
    look(record(usual));
    const argument = encodeValue({ kind: 'record', fields: [value, { kind: 'unit' }] });
    expect(look(record({ ...usual, argument }))).toBe(true);
  });

  it('pass without the Nones at their end', () => {
    const look = both();
    look(record(usual));
    const whole: LfValue[] = [{ kind: 'unit' }, { kind: 'optional', value: null }];
    const argument = encodeValue({ kind: 'record', fields: whole });
    const short = lapiRecord(encodeValue({ kind: 'record', fields: whole.slice(0, 1) }));
    expect(look(record({ ...usual, argument }, short))).toBe(true);
    const shorter = lapiRecord(encodeValue({ kind: 'record', fields: [] }));
    expect(look(record({ ...usual, argument }, shorter))).toBe(false);
  });

  it('whatever they are, and changed on both sides: are judged alike', () => {
    const look = both();
    look(record(usual));
    let passed = 0;
    fc.assert(
      fc.property(fields, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), (list, changes) => {
        const argument = encodeValue({ kind: 'record', fields: list });
        if (look(record({ ...usual, argument }))) passed++;
        for (const [at, byte] of changes) {
          const changed = Buffer.from(argument);
          changed[at % changed.length] = byte;
          let lapi: Buffer;
          try {
            lapi = lapiRecord(changed);
          } catch (error) {
            // What cannot be written for the Ledger API is compared with what it was.
            if (!(error instanceof AcsError)) throw error;
            lapi = lapiRecord(argument);
          }
          look(record({ ...usual, argument: changed }, lapi));
        }
      }),
      { numRuns: 2000 },
    );
    expect(passed).toBeGreaterThan(500);
  });

  it('nested to the limit and beyond: are judged alike', () => {
    const look = both();
    look(record(usual));
    for (let levels = 95; levels < 105; levels++) {
      let value: LfValue = { kind: 'unit' };
      for (let i = 0; i < levels; i++) value = { kind: 'optional', value };
      let frame: Buffer;
      try {
        frame = record({ ...usual, argument: encodeValue({ kind: 'record', fields: [value] }) });
      } catch (error) {
        if (!(error instanceof AcsError)) throw error;
        expect(levels).toBeGreaterThan(99);
        continue;
      }
      expect(look(frame)).toBe(levels <= 99);
    }
  });
});
