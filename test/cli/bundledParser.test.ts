/** The parser that the build puts into one file does what the installed one does. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringWidth, wrapAnsi } from '../../scripts/plain-text.mjs';
import { runCli } from '../../src/cli/run.js';

/** What yargs brings, and the build replaces. */
const { default: installedWrap } = (await import('wrap-ansi' as string)) as {
  default: (text: string, columns: number, options: { hard: boolean }) => string;
};

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function installed(line: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new Collected(), new Collected()];
  const status = await runCli(line, { stdout, stderr });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

function built(line: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli/acs.cjs', ...line], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the parser in one file', () => {
  it('is what the build has made', () => {
    expect(readFileSync('dist/cli/yargs.js', 'utf8')).not.toContain('string-width');
    expect(readFileSync('dist/cli/yargs.licenses.txt', 'utf8')).toMatch(/^yargs \d/m);
  });

  it.each([
    [[]],
    [['--help']],
    [['--version']],
    [['diff', '--help']],
    [['store', 'load', '--help']],
    [['inof', 'x']],
    [['info']],
    [['info', '--nosuch', 'x']],
    [['info', '--a', '1', '--b', '2', 'x']],
    [['filter', 'x']],
    [['filter', 'x', '-o']],
    [['diff', '--format', 'pdf', 'a', 'b']],
    [['info', '--top', 'many', 'fixtures/snapshots/tiny.acs.gz']],
    [['plan', 'nosuch', 'x']],
    [['store']],
    [['completion']],
  ])('says the same to %j', async (line) => {
    expect(built(line)).toEqual(await installed(line));
  });

  it('wraps text alike', () => {
    const word = fc.stringMatching(/^[a-z0-9=.…-]{1,30}$/);
    const text = fc
      .array(fc.tuple(word, fc.constantFrom(' ', ' ', ' ', '\n', '  ')), { maxLength: 40 })
      .map((parts) => parts.map(([w, gap]) => w + gap).join(''));
    fc.assert(
      fc.property(text, fc.integer({ min: 5, max: 60 }), (words, columns) => {
        expect(wrapAnsi(words, columns)).toBe(installedWrap(words, columns, { hard: true }));
      }),
      { numRuns: 2000 },
    );
    expect(stringWidth('≥ 20.19 …')).toBe(9);
  });
});
