import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type OpenedContract,
  openCommitmentLine,
  openCommitmentMessage,
  readOpenCommitment,
} from '../../src/commitment/openCommitment.js';
import { checkOpenCommitment } from '../../src/commitment/openCommitmentCheck.js';
import {
  diffOpenCommitments,
  type OpenCommitmentDifference,
} from '../../src/commitment/openCommitmentDiff.js';
import { AcsError } from '../../src/io/error.js';
import type { ByteInput } from '../../src/io/input.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { type CorpusContract, type CorpusGroup, fixture, fixturePath, json, jsonLines } from './vectors.js';

const folder = mkdtempSync(join(tmpdir(), 'acs-open-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function all(input: ByteInput): Promise<OpenedContract[]> {
  const found: OpenedContract[] = [];
  for await (const contracts of readOpenCommitment(input)) found.push(...contracts);
  return found;
}

async function* pieces(bytes: Buffer, at: number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const to of [...at, bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

async function failure(work: Promise<unknown>): Promise<AcsError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof AcsError)) throw new Error(`no AcsError: ${error}`);
  return error;
}

const corpusBytes = fixture('commitments/open-commitment.bin');
const corpusContracts: OpenedContract[] = jsonLines<CorpusContract>(
  'commitments/open-commitment.expected.jsonl',
).map((c) => ({ contractId: c.contract_id, reassignmentCounter: BigInt(c.reassignment_counter) }));
const consoleText = corpusContracts.map(openCommitmentLine).join('\n');

describe('an opened commitment', () => {
  it('of the real implementation is read and written byte for byte', async () => {
    expect(await all(corpusBytes)).toEqual(corpusContracts);
    expect(Buffer.concat(corpusContracts.map(openCommitmentMessage))).toEqual(corpusBytes);
  });

  it('is the same whatever the chunks', async () => {
    for (let at = 0; at < 200; at++) {
      expect(await all(pieces(corpusBytes, [at]))).toEqual(corpusContracts);
    }
    const every = Array.from({ length: corpusBytes.length }, (_, i) => i);
    expect(await all(pieces(corpusBytes, every))).toEqual(corpusContracts);
    const text = Buffer.from(consoleText);
    expect(await all(pieces(text, [1, 2, 3, 100, 101, 500]))).toEqual(corpusContracts);
  });

  it('cut short is refused, except between two entries', async () => {
    const borders = new Set<number>([0]);
    let at = 0;
    for (const contract of corpusContracts) {
      at += openCommitmentMessage(contract).length;
      borders.add(at);
    }
    for (let end = 0; end <= 160; end++) {
      const cut = corpusBytes.subarray(0, end);
      if (borders.has(end)) expect((await all(cut)).length).toBe([...borders].indexOf(end));
      else expect((await failure(all(cut))).code).toBe('OPEN_COMMITMENT_MALFORMED');
    }
  });

  it('survives damage of any byte with an error or other contracts, never with a crash', async () => {
    for (let i = 0; i < 160; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(corpusBytes);
        bytes[i]! ^= flip;
        const result = await all(bytes).catch((e: unknown) => e);
        if (result instanceof Error) expect(result).toBeInstanceOf(AcsError);
        else expect(result).not.toEqual(corpusContracts);
      }
    }
  });

  it('written by the console is read tolerantly and written exactly', async () => {
    expect(await all(Buffer.from(consoleText))).toEqual(corpusContracts);
    expect(openCommitmentLine({ contractId: '00ab', reassignmentCounter: 7n })).toBe(
      '{"cid":"00ab","reassignmentCounter":"7"}',
    );
    const loose =
      '\uFEFF{"format":"acs-open/1","tick":"…"}\r\n\n  {"cid":"00AB","reassignmentCounter":3,"stakeholders":[]}  \n';
    expect(await all(Buffer.from(loose))).toEqual([{ contractId: '00ab', reassignmentCounter: 3n }]);
    expect(await all(Buffer.from(' \n'))).toEqual([]);
    expect(await all(Buffer.alloc(0))).toEqual([]);
  });

  it('names the line of a fault', async () => {
    const ok = openCommitmentLine({ contractId: '00', reassignmentCounter: 0n });
    for (const bad of [
      '{"cid":"00"}',
      '{"cid":"0","reassignmentCounter":"0"}',
      '{"cid":"00","reassignmentCounter":"-1"}',
      '{"cid":"00","reassignmentCounter":1.5}',
      '{"cid":"00","reassignmentCounter":"9223372036854775808"}',
      '[]',
      'null',
      '{"cid":',
      `{"cid":"${'00'.repeat(128)}","reassignmentCounter":"0"}`,
      '{"format":"acs-open/1"}',
    ]) {
      const error = await failure(all(Buffer.from(`${ok}\n${bad}`)));
      expect(error.code, bad).toBe('OPEN_COMMITMENT_MALFORMED');
      expect(error.place.line, bad).toBe(2);
    }
    const long = await failure(all(Buffer.from(`{"cid":"${'0'.repeat(2 << 20)}`)));
    expect(long.code).toBe('OPEN_COMMITMENT_MALFORMED');
  });

  it('of another kind of file is refused', async () => {
    for (const bytes of [fixture('snapshots/multi/participant1.acs.gz'), Buffer.from('00ab\n00ac\n')]) {
      expect((await failure(all(bytes))).code).toMatch(/^(OPEN_COMMITMENT|WIRE)_/);
    }
    const groups = await failure(all(Buffer.from('{"format":"acs-group-digests/1","groups":[]}')));
    expect(groups).toMatchObject({ code: 'OPEN_COMMITMENT_MALFORMED', place: { line: 1 } });
    const version = openCommitmentMessage({ contractId: '00ab', reassignmentCounter: 0n });
    version[version.length - 1] = 31;
    expect((await failure(all(version))).code).toBe('OPEN_COMMITMENT_VERSION');
  });
});

describe('the difference of two opened commitments', () => {
  const diff = async (local: string | Buffer, remote: string | Buffer, memoryBytes?: number) => {
    const found: OpenCommitmentDifference[] = [];
    const totals = await diffOpenCommitments(
      local,
      remote,
      (d) => found.push(d),
      memoryBytes === undefined ? {} : { memoryBytes },
    );
    return { found, totals };
  };
  const bytesOf = (contracts: OpenedContract[]) => Buffer.concat(contracts.map(openCommitmentMessage));

  it('of the corpus participants is what was planted', async () => {
    const groups = jsonLines<CorpusGroup>('commitments/groups.jsonl.gz');
    const expected = json<
      Record<
        string,
        {
          shared_equal: number;
          counter_differs: ({ contract_id: string } & Record<string, number | string>)[];
        } & Record<string, unknown>
      >
    >('commitments/differences.json');
    expect(Object.keys(expected)).toHaveLength(3);
    for (const [pair, want] of Object.entries(expected)) {
      const [p, q] = pair.split('/') as [string, string];
      const shared = (own: string, other: string) =>
        bytesOf(
          groups
            .filter((g) => g.participant === own && g.hosting_participants.includes(other))
            .flatMap((g) => g.contracts)
            .map((c) => ({
              contractId: c.contract_id,
              reassignmentCounter: BigInt(c.reassignment_counter),
            })),
        );
      const { found, totals } = await diff(shared(p, q), shared(q, p));
      const ids = (kind: string) => found.filter((d) => d.kind === kind).map((d) => d.contractId);
      expect(ids('only-local')).toEqual([...(want[`only_${p}`] as string[])].sort());
      expect(ids('only-remote')).toEqual([...(want[`only_${q}`] as string[])].sort());
      expect(found.filter((d) => d.kind === 'counter-differs')).toEqual(
        want.counter_differs
          .map((c) => ({
            kind: 'counter-differs',
            contractId: c.contract_id,
            local: BigInt(c[p]!),
            remote: BigInt(c[q]!),
          }))
          .sort((a, b) => (a.contractId < b.contractId ? -1 : 1)),
      );
      expect(totals.same).toBe(want.shared_equal);
    }
  });

  it('does not depend on memory, form or order', async () => {
    const contract = fc.record({
      contractId: fc.oneof(
        fc
          .uint8Array({ minLength: 32, maxLength: 34 })
          .map((b) => `0${b[0]! % 3}${Buffer.from(b).toString('hex')}`),
        fc.constantFrom('00', '01', '02', '03').map((first) => first + 'ff'.repeat(32)),
        fc.constantFrom('00', '01', '02', '03').map((first) => first + '00'.repeat(33)),
      ),
      reassignmentCounter: fc.bigInt(0n, 2n),
    });
    const side = fc.uniqueArray(contract, { selector: (c) => c.contractId, maxLength: 30 });
    const path = join(folder, 'remote.jsonl');
    await fc.assert(
      fc.asyncProperty(side, side, fc.subarray(['keep']), async (a, b, keep) => {
        const theirs =
          keep.length > 0 ? [...b, ...a.filter((c) => !b.some((d) => d.contractId === c.contractId))] : b;
        const whole = await diff(bytesOf(a), bytesOf(theirs));
        writeFileSync(path, [...theirs].reverse().map(openCommitmentLine).join('\n'));
        const ranged = await diff(bytesOf(a), path, 2000);
        expect(ranged).toEqual(whole);
        const byId = (list: OpenedContract[]) =>
          new Map(list.map((c) => [c.contractId, c.reassignmentCounter]));
        const mine = byId(a);
        const other = byId(theirs);
        expect(whole.totals.onlyLocal).toBe([...mine.keys()].filter((id) => !other.has(id)).length);
        expect(whole.totals.onlyRemote).toBe([...other.keys()].filter((id) => !mine.has(id)).length);
        expect(whole.totals.local).toBe(a.length);
        expect(whole.totals.remote).toBe(theirs.length);
        const ids = whole.found.map((d) => d.contractId);
        expect(ids).toEqual([...ids].sort());
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a contract that occurs twice, and what is no file', async () => {
    const twice = bytesOf([...corpusContracts, corpusContracts[0]!]);
    for (const memory of [undefined, 1000]) {
      const error = await failure(diff(corpusBytes, twice, memory));
      expect(error.code).toBe('OPEN_COMMITMENT_DUPLICATE');
      expect(error.place.contractId).toBe(corpusContracts[0]!.contractId);
    }
    expect((await failure(diff(folder, corpusBytes))).code).toBe('FILE_UNREADABLE');
    expect((await failure(diff(join(folder, 'none'), corpusBytes))).code).toBe('FILE_UNREADABLE');
  });
});

describe('the check of an opened commitment against its commitment', () => {
  /** From the requests recorded with the replies of a running participant. */
  const recorded: [string, string][] = [
    ['other.participant3', 'EiC7tMCWPBQm+GvIbPDRjZRrsHNl9mLyjoPO+bfnsV8AfA=='],
    ['other.participant2', 'EiB0n3A37KVST5JkDJDCpwvRmRWPonm4MtZZXUB+YC7cqw=='],
    ['acme.participant2', 'EiDN3VEPr7F01P5Ad4beRPLDk/7UCbJtFIYkggd2or9A5A=='],
    ['acme.participant3', 'EiDJ/86Gv+zB2CNpy4po0F5Sb6rP6CFATdAPY3HphhgyRw=='],
  ];

  it('agrees with what a running participant sent', async () => {
    const stakeholders = new Map<string, string[]>();
    for (const name of ['acme', 'no-party-filter', 'older-offset']) {
      await scanSnapshot(fixturePath(`live/p1.export-acs.${name}.acs.gz`), (r) => {
        if (!r.inFlight) stakeholders.set(r.contractId, [...r.signatories, ...r.observers]);
      });
    }
    const verdicts: Record<string, unknown> = {};
    for (const [name, commitment] of recorded) {
      verdicts[name] = await checkOpenCommitment(
        readOpenCommitment(fixturePath(`live/p1.open-commitment.${name}.bin`)),
        Buffer.from(commitment, 'base64'),
        (id) => stakeholders.get(id),
      );
    }
    expect(verdicts).toEqual({
      'other.participant3': { verdict: 'valid', grouping: 'single' },
      'other.participant2': { verdict: 'valid', grouping: 'single' },
      'acme.participant2': { verdict: 'valid', grouping: 'known' },
      // One of its contracts was archived before the exports were made.
      'acme.participant3': { verdict: 'inconclusive', unknown: 1 },
    });
  });

  it('says when the file is not what was committed to', async () => {
    const commitment = Buffer.from(recorded[2]![1], 'base64');
    const file = readOpenCommitment(fixturePath('live/p1.open-commitment.acme.participant3.bin'));
    expect((await checkOpenCommitment(file, commitment, () => ['a::1'])).verdict).toBe('invalid');
  });
});
