import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/inspect/finding.js';
import { verifySnapshot } from '../../src/inspect/verify.js';
import { AcsError } from '../../src/io/error.js';
import { recoverRecords, recoverSnapshot } from '../../src/recover/recover.js';
import { scanSnapshot } from '../../src/snapshot/scan.js';
import { runCommand } from '../cli/runCommand.js';
import { fixture } from '../fixtures.js';
import { framesOf, TINY } from './build.js';
import { DAMAGE, damagePage } from './table.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'acs-damage-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('damage table', () => {
  it.each(DAMAGE.map((row) => [row.damage, row] as const))('%s', async (_, row) => {
    const path = join(folder, 'damaged.acs.gz');
    await writeFile(path, await row.build());

    // A reader stops with an AcsError or reads on.
    const failure = await scanSnapshot(path, () => undefined).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (row.stops) expect(failure).toBeInstanceOf(AcsError);
    else expect(failure).toBeUndefined();

    // `verify` names it.
    const findings: Finding[] = [];
    await verifySnapshot(path, { onFinding: (finding) => findings.push(finding) });
    if (row.code !== undefined) {
      const finding = findings.find((f) => f.code === row.code);
      expect(finding, `codes found: ${findings.map((f) => f.code).join(', ')}`).toBeDefined();
      expect(finding?.severity).toBe(row.severity ?? 'error');
      if (row.place?.record !== undefined) expect(finding?.record).toBe(row.place.record);
      if (row.place?.inflated !== undefined) {
        expect(finding).toMatchObject({ byteOffset: row.place.inflated, stream: 'inflated' });
      }
      if (row.place?.file !== undefined) expect(finding?.byteOffset).toBe(row.place.file);
    } else if (row.stops) expect(findings.some((f) => f.severity === 'error')).toBe(true);
    else expect(findings).toEqual([]);

    // `recover` saves what the table says.
    const out = join(folder, 'saved.acs.gz');
    await rm(out, { force: true });
    if (typeof row.recovers === 'string') {
      await expect(recoverSnapshot(path, out)).rejects.toMatchObject({ code: row.recovers });
      expect(await readdir(folder)).toEqual(['damaged.acs.gz']);
      return;
    }
    const result = await recoverSnapshot(path, out);
    expect(result.contracts).toBe(row.recovers);
    expect(result.whole).toBe(row.whole ?? false);
    expect(result.lostRecords).toBe(row.lostRecords);
    // What is saved are records of the original, in order, and the file is sound.
    const original = framesOf(gunzipSync(TINY)).map((frame) => frame.toString('hex'));
    const saved = framesOf(gunzipSync(readFileSync(out))).map((frame) => frame.toString('hex'));
    if (!row.whole) expect(original.filter((frame) => saved.includes(frame))).toEqual(saved);
    await scanSnapshot(out, () => undefined);
    const { status } = await runCommand('recover', path, '-o', out, '--quiet');
    expect(status).toBe(row.whole ? 0 : 3);
  });

  it('is what docs/DAMAGE.md says', async () => {
    await expect(damagePage()).toMatchFileSnapshot('../../docs/DAMAGE.md');
  });
});

/** Whole frames at the beginning of inflated bytes. */
function wholeFrames(inflated: Buffer, frames: readonly Buffer[]): number {
  let at = 0;
  let count = 0;
  while (count < frames.length && at + frames[count].length <= inflated.length) at += frames[count++].length;
  return count;
}

describe('truncation at every byte', () => {
  it('of the gzip file: the place is the end, every record that can be inflated is saved', async () => {
    const file = readFileSync(fixture('live/p1.export-acs.other.acs.gz'));
    const frames = framesOf(gunzipSync(file));
    for (let n = 0; n < file.length; n++) {
      const cut = file.subarray(0, n);
      let error: unknown;
      await scanSnapshot(cut, () => undefined).catch((e: unknown) => {
        error = e;
      });
      expect(error).toBeInstanceOf(AcsError);
      const { code, place } = error as AcsError;
      expect(code).toBe(n === 0 ? 'GZIP_EMPTY_FILE' : 'GZIP_TRUNCATED');
      expect(place.byteOffset).toBe(n);
      const readable =
        n <= 10 ? Buffer.alloc(0) : inflateRawSync(cut.subarray(10), { finishFlush: constants.Z_SYNC_FLUSH });
      const expected = wholeFrames(readable, frames);
      const saved: string[] = [];
      const recovery = recoverRecords(cut, (r) => saved.push(r.buf.toString('hex', r.start, r.end)));
      if (expected === 0) {
        await expect(recovery).rejects.toMatchObject({ code: 'RECOVER_NOTHING' });
      } else {
        expect((await recovery).contracts).toBe(expected);
        expect(saved).toEqual(frames.slice(0, expected).map((frame) => frame.toString('hex')));
      }
    }
  });

  it('of the inflated content: the place is the record that is cut, those before it are saved', async () => {
    const whole = gunzipSync(readFileSync(fixture('live/p1.export-acs.older-offset.acs.gz')));
    const frames = framesOf(whole);
    const borders = [0];
    for (const frame of frames) borders.push(borders[borders.length - 1] + frame.length);
    for (let n = 0; n < whole.length; n++) {
      const cut = gzipSync(whole.subarray(0, n), { level: 1 });
      const record = borders.findLastIndex((border) => border <= n);
      const scan = scanSnapshot(cut, () => undefined);
      if (borders.includes(n)) {
        expect((await scan).records).toBe(record);
        expect((await recoverRecords(cut, () => undefined)).whole).toBe(true);
        continue;
      }
      await expect(scan).rejects.toMatchObject({
        code: 'FRAME_TRUNCATED',
        place: { record, byteOffset: borders[record], stream: 'inflated' },
      });
      const recovery = recoverRecords(cut, () => undefined);
      if (record === 0) await expect(recovery).rejects.toMatchObject({ code: 'RECOVER_NOTHING' });
      else expect(await recovery).toMatchObject({ contracts: record, whole: false, lostRecords: 1 });
    }
  });
});
