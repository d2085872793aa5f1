import { createReadStream } from 'node:fs';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, readManifest } from '../../src/contract/manifest.js';
import { frameRecovery, type InflatedLoss, type Trust } from '../../src/recover/frameRecovery.js';
import { type Recovered, recoverRecords, recoverSnapshot } from '../../src/recover/recover.js';
import { filterSnapshot } from '../../src/reshape/filter.js';
import { framesOf } from '../damage/build.js';
import { fixture } from '../fixtures.js';

const TWO = fixture('snapshots/two-synchronizers.acs.gz');

let folder: string;
/** The fixture in our own writer's form: 16 pieces, with a manifest. */
let pieced: Buffer;
let manifest: Manifest;
let originals: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-recover-'));
  const path = join(folder, 'pieced.acs.gz');
  // The level is fixed: one test below alters bytes at places found by trial.
  await filterSnapshot(TWO, path, {}, { write: { manifest: true, pieceBytes: 6000, level: 6 } });
  pieced = await readFile(path);
  manifest = (await readManifest(path)) as Manifest;
  originals = framesOf(gunzipSync(pieced)).map((frame) => frame.toString('hex'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Saved {
  result: Recovered;
  frames: { frame: string; trust: Trust }[];
}

async function recovered(bytes: Buffer, withManifest: boolean): Promise<Saved> {
  const path = join(folder, 'damaged.acs.gz');
  await writeFile(path, bytes);
  const sidecar = `${path}.manifest.json`;
  if (withManifest) await copyFile(join(folder, 'pieced.acs.gz.manifest.json'), sidecar);
  else await rm(sidecar, { force: true });
  const frames: Saved['frames'] = [];
  const result = await recoverRecords(path, (record, trust) => {
    frames.push({ frame: record.buf.toString('hex', record.start, record.end), trust });
  });
  return { result, frames };
}

/** Inflated bytes of the pieces that lie wholly outside `[from, to)` of the file. */
function piecesOutside(from: number, to: number): number[] {
  return manifest.pieces.flatMap((piece, i) =>
    piece.at + piece.compressedBytes <= from || piece.at >= to ? [i] : [],
  );
}

function recordsOfPieces(indexes: readonly number[]): string[] {
  const borders: number[] = [];
  let end = 0;
  for (const piece of manifest.pieces) {
    end += piece.inflatedBytes;
    borders.push(end);
  }
  let at = 0;
  return originals.filter((frame) => {
    const piece = borders.findIndex((border) => at < border);
    at += frame.length / 2;
    return indexes.includes(piece);
  });
}

describe('with a manifest', () => {
  it('everything in whole pieces is saved, whatever happens to the others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 10, max: pieced.length - 20 }),
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        async (at, noise) => {
          const to = Math.min(at + noise.length, pieced.length);
          const bytes = Buffer.from(pieced);
          bytes.set(noise.subarray(0, to - at), at);
          const { result, frames } = await recovered(bytes, true);
          expect(result.manifest).toBe('used');
          const saved = frames.map((f) => f.frame);
          for (const frame of recordsOfPieces(piecesOutside(at, to))) expect(saved).toContain(frame);
          for (const f of frames) if (f.trust !== 'suspect') expect(originals).toContain(f.frame);
          expect(result.lostRecords).toBe(originals.length - frames.length);
          expect(result.whole).toBe(bytes.equals(pieced) || at >= pieced.length - 10);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('a cut file: what is missing is known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3000, max: pieced.length - 11 }), async (n) => {
        const { result, frames } = await recovered(pieced.subarray(0, n), true);
        expect(result.manifest).toBe('used');
        expect(frames.map((f) => f.frame)).toEqual(originals.slice(0, frames.length));
        expect(result.lostRecords).toBe(originals.length - frames.length);
        const savedBytes = frames.reduce((sum, f) => sum + f.frame.length / 2, 0);
        expect(result.lostInflatedBytes).toBe(manifest.inflated.bytes - savedBytes);
      }),
      { numRuns: 30 },
    );
  });

  it('of another file it is left aside, with the reason', async () => {
    const { result } = await recovered(gzipSync(gunzipSync(pieced).subarray(0, 40_000)), true);
    expect(result.manifest).toMatch(/^not used: /);
    expect(result.contracts).toBeGreaterThan(10);
  });
});

describe('without a manifest', () => {
  type Flips = [at: number, mask: number][];

  async function recoveredAfter(flips: Flips): Promise<Saved | undefined> {
    const bytes = Buffer.from(pieced);
    for (const [at, mask] of flips) bytes[at] ^= mask;
    return recovered(bytes, false).catch((error) => {
      expect(error).toMatchObject({ code: 'RECOVER_NOTHING' });
      return undefined;
    });
  }

  /** Signs of damage: of the container, except an end that is missing, and of any record but one cut by that end. */
  function showsDamage({ damage, losses }: Recovered): boolean {
    return (
      damage.some((d) => d.code !== 'GZIP_TRUNCATED') ||
      losses.length > 1 ||
      losses.some((loss) => loss.code !== 'FRAME_TRUNCATED')
    );
  }

  it('records under a checksum that agrees are the original ones; no other is called unchecked where damage shows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.integer({ min: 10, max: pieced.length - 1 }), fc.integer({ min: 1, max: 255 })),
          { minLength: 1, maxLength: 3 },
        ),
        async (flips) => {
          const saved = await recoveredAfter(flips);
          if (saved === undefined) return;
          const { result, frames } = saved;
          for (const f of frames) if (f.trust === 'checked') expect(originals).toContain(f.frame);
          if (showsDamage(result)) expect(result.trust.unchecked).toBe(0);
          if (result.whole) expect(frames.map((f) => f.frame)).toEqual(originals);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('a record that does not decode casts doubt on those before it, also when the file only seems to be cut', async () => {
    // The first flip alters a record and nothing else; the second makes the deflate data never end.
    const saved = await recoveredAfter([
      [18348, 1],
      [27362, 25],
    ]);
    expect(saved?.result.damage.map((d) => d.code)).toEqual(['GZIP_TRUNCATED']);
    expect(saved?.result.trust).toMatchObject({ checked: 0, unchecked: 0 });
    // Its event and blob disagree, so that the altered record itself is not kept.
    for (const f of saved?.frames ?? []) expect(originals).toContain(f.frame);
    expect(saved?.frames.length).toBeGreaterThan(10);
  });

  it('the same without compression', async () => {
    const plain = gunzipSync(pieced);
    const cut = await recovered(plain.subarray(0, -5), false);
    expect(cut.result.trust).toMatchObject({ unchecked: originals.length - 1, suspect: 0 });
    const [first, second] = originals;
    const middle = first.length / 2 + Math.trunc(second.length / 4);
    const damaged = Buffer.from(plain);
    damaged.fill(0xff, middle, middle + 20);
    const { result } = await recovered(damaged, false);
    expect(result.trust).toMatchObject({ unchecked: 0, suspect: originals.length - 1 });
  });

  it('a hole in the file costs the pieces it touches and the one behind it at most', async () => {
    const last = manifest.pieces.length - 1;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: last - 2 }),
        fc.integer({ min: 1, max: 300 }),
        async (n, size) => {
          const piece = manifest.pieces[n];
          const at = piece.at + (piece.compressedBytes >> 1);
          const bytes = Buffer.concat([pieced.subarray(0, at), pieced.subarray(at + size)]);
          const { result, frames } = await recovered(bytes, false);
          const untouched = manifest.pieces.flatMap((_, i) => (i < n || i > n + 1 ? [i] : []));
          const saved = frames.map((f) => f.frame);
          for (const frame of recordsOfPieces(untouched)) expect(saved).toContain(frame);
          expect(result.whole).toBe(false);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('how much is lost is not known where damaged bytes look like an end', async () => {
    const frames = framesOf(gunzipSync(await readFile(fixture('snapshots/tiny.acs.gz'))));
    const part = (from: number, to?: number): Buffer =>
      deflateRawSync(Buffer.concat(frames.slice(from, to)), { finishFlush: constants.Z_SYNC_FLUSH });
    // After four records a last, empty block; what follows is no trailer but the rest of the data.
    const bytes = Buffer.concat([
      Buffer.from('1f8b08000000000000ff', 'hex'),
      part(0, 4),
      Buffer.from('0300', 'hex'),
      part(4).subarray(3),
    ]);
    const result = await recoverRecords(bytes, () => undefined);
    expect(result).toMatchObject({ contracts: 4, lostRecords: null, lostInflatedBytes: null, whole: false });
    expect(result.losses.map(({ level, code }) => [level, code])).toContainEqual([
      'compressed',
      'GZIP_UNREADABLE',
    ]);
  });

  it('reads streams as well as files', async () => {
    const path = join(folder, 'cut.acs.gz');
    await writeFile(path, pieced.subarray(0, 9000));
    const fromFile = await recoverRecords(path, () => undefined);
    const fromStream = await recoverRecords(createReadStream(path), () => undefined);
    expect(fromStream).toEqual({ ...fromFile, input: '(stream)' });
  });

  it('writes one sound member, in-flight records left out', async () => {
    const live = await readFile(fixture('live/p1.export-acs.no-party-filter.acs.gz'));
    const out = join(folder, 'live.acs.gz');
    const result = await recoverSnapshot(Buffer.concat([live, live.subarray(0, 900)]), out);
    expect(result).toMatchObject({ inFlight: 1, whole: false, laterMembers: { members: 1 } });
    expect(result.contracts).toBe(18 + result.laterMembers.records);
    expect(gunzipSync(await readFile(out)).subarray(0, 1000)).toEqual(gunzipSync(live).subarray(0, 1000));
  });

  it('refuses other formats', async () => {
    const text = Buffer.from(`domain-id:mydomain::1220${'0'.repeat(64)}\nCgAA\n`);
    await expect(recoverRecords(text, () => undefined)).rejects.toMatchObject({ code: 'FORMAT_OTHER' });
  });
});

describe('frame recovery', () => {
  it('accounts for every byte, and what it keeps does not depend on the chunks', () => {
    const stream = Buffer.from(originals.slice(0, 12).join(''), 'hex');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: stream.length - 1 }),
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom<Trust>('unchecked', 'suspect'),
        (at, noise, chunk, trust) => {
          const bytes = Buffer.concat([
            stream.subarray(0, at),
            noise,
            stream.subarray(at + (noise.length >> 1)),
          ]);
          const run = (size: number): { kept: string[]; losses: InflatedLoss[] } => {
            const kept: string[] = [];
            const losses: InflatedLoss[] = [];
            const frames = frameRecovery({
              keep: (r) => kept.push(r.buf.toString('hex', r.start, r.end)),
              lost: (loss) => losses.push(loss),
            });
            frames.begin(true, trust);
            for (let i = 0; i < bytes.length; i += size) frames.push(bytes.subarray(i, i + size));
            frames.end(true);
            return { kept, losses };
          };
          const whole = run(bytes.length);
          expect(run(chunk)).toEqual(whole);
          const keptBytes = whole.kept.reduce((sum, frame) => sum + frame.length / 2, 0);
          const lostBytes = whole.losses.reduce((sum, loss) => sum + loss.bytes, 0);
          expect(keptBytes + lostBytes).toBe(bytes.length);
          // At most the record that was hit and its neighbour are lost.
          expect(whole.kept.filter((frame) => originals.includes(frame)).length).toBeGreaterThanOrEqual(10);
        },
      ),
      { numRuns: 200 },
    );
  });
});
