import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { duration, type ProgressOptions, startProgress } from '../../src/cli/progress.js';
import { meterRead } from '../../src/io/readMeter.js';
import { fixture } from '../fixtures.js';

const TWO = fixture('snapshots/two-synchronizers.acs.gz');
const OTHER = fixture('snapshots/tiny.acs.gz');

/** What is written to standard error, a terminal or not, by progress that hears of `steps` in turn. */
function shown(
  options: Omit<ProgressOptions, 'stderr'>,
  steps: { at: number; done?: number; read?: number }[],
  file = TWO,
): string[] {
  const written: string[] = [];
  const stderr = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, ready) {
        written.push(chunk.toString('utf8'));
        ready();
      },
    }),
    {
      isTTY: options.mode === 'bar',
      columns: 200,
      cursorTo: () => true,
      clearLine: () => true,
      moveCursor: () => true,
    },
  );
  const clock = vi.spyOn(Date, 'now').mockReturnValue(1_000_000);
  try {
    const progress = startProgress({ ...options, stderr });
    for (const { at, done, read } of steps) {
      clock.mockReturnValue(1_000_000 + at);
      if (read !== undefined) meterRead(file, read);
      if (done !== undefined) progress.update(done);
    }
    progress.finish();
    meterRead(file, 1);
    return written;
  } finally {
    clock.mockRestore();
  }
}

describe('rate and ETA', () => {
  const size = statSync(TWO).size;
  const half = Math.ceil(size / 2);
  const lines = (...args: Parameters<typeof shown>): Record<string, unknown>[] =>
    shown(...args).map((line) => JSON.parse(line) as Record<string, unknown>);
  const info = { label: 'info x', unit: 'records', mode: 'json' } as const;

  it('are told of the bytes read of the files', () => {
    const options = { ...info, extent: { files: [TWO] } };
    expect(
      lines(options, [
        { at: 10_000, read: half, done: 500 },
        { at: 20_000, done: 900 },
      ]),
    ).toEqual([
      { progress: 'info x', done: 0, unit: 'records', rate: 0, seconds: 10, percent: 50, etaSeconds: 10 },
      { progress: 'info x', done: 900, unit: 'records', rate: 45, seconds: 20, percent: 50, etaSeconds: 20 },
    ]);
    const twice = { ...info, extent: { files: [TWO], passes: 2 } };
    expect(lines(twice, [{ at: 10_000, read: half }])).toMatchObject([{ percent: 25, etaSeconds: 30 }]);
  });

  it('take the bytes themselves as the position, when they are the unit', () => {
    const options = { ...info, unit: 'bytes', extent: { files: [TWO] } };
    expect(lines(options, [{ at: 10_000, read: half }])).toMatchObject([{ done: half, percent: 50 }]);
  });

  it('are told of a known total', () => {
    const options = { ...info, extent: { total: 100 } };
    expect(lines(options, [{ at: 5_000, done: 25 }])).toEqual([
      {
        progress: 'info x',
        done: 25,
        unit: 'records',
        rate: 5,
        seconds: 5,
        total: 100,
        percent: 25,
        etaSeconds: 15,
      },
    ]);
  });

  it('are not made up: no ETA for standard input, for a folder, or when more was read than there was', () => {
    for (const files of [['-'], [TWO, '-'], [tmpdir()], [`${TWO}.nowhere`]]) {
      const [line] = lines({ ...info, extent: { files } }, [{ at: 6_000, read: half, done: 60 }]);
      expect(line).toEqual({ progress: 'info x', done: 60, unit: 'records', rate: 10, seconds: 6 });
    }
    const [, line] = lines({ ...info, extent: { files: [TWO] } }, [
      { at: 6_000, read: half },
      { at: 12_000, read: size, done: 60 },
    ]);
    expect(line).not.toHaveProperty('etaSeconds');
  });

  it('hear only of their own files', () => {
    const options = { ...info, unit: 'bytes', extent: { files: [TWO] } };
    expect(lines(options, [{ at: 6_000, read: half }], OTHER)).toEqual([]);
  });

  it('stand in the bar', () => {
    const text = shown({ ...info, mode: 'bar', extent: { files: [TWO] } }, [
      { at: 100, read: 1 },
      { at: 10_000, read: half, done: 500 },
    ]).join('');
    expect(text).toContain('50% 500 records, 50/s, 10 s left');
  });

  it('are words', () => {
    expect([0, 59, 60, 3599, 3600, 90_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
      '25 h 0 min',
    ]);
  });
});
