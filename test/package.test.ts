/** The package as another program sees it: by its own name, through its exports. Needs the build (`npm test` makes it). */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A program that depends on the package. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'acs-package-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'acskit'));
  symlinkSync(join(ROOT, 'fixtures'), join(folder, 'fixtures'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string): string {
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') },
  });
  expect(done.stderr).toBe('');
  return done.stdout;
}

/** Each with what stands above it. */
const examples = [
  ...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/^(\S.*):\n\n```js\n([\s\S]*?)```/gm),
].map(([, what, program]) => [what, program] as const);

describe('the package', () => {
  it('has an example in the README for each of its areas', () => {
    expect(examples).toHaveLength(7);
  });

  it.each(examples)('runs an example of the README: %s', (_what, program) => {
    const promised = [...program.matchAll(/^ *console\.log.* \/\/ (.*)$/gm)].map(([, output]) => output);
    expect(promised.length).toBeGreaterThan(0);
    expect(run(program)).toBe(`${promised.join('\n')}\n`);
  });

  it('gives every folder of src as a subpath', () => {
    const levels = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const wanted = levels.map((level) => {
      const [file] = readdirSync(`${ROOT}src/${level.name}`).filter((name) => name.endsWith('.ts'));
      return `${level.name}/${file.slice(0, -'.ts'.length)}`;
    });
    const found: string[] = JSON.parse(
      run(
        `console.log(JSON.stringify(${JSON.stringify(wanted)}.map((w) => import.meta.resolve('acskit/' + w))))`,
      ),
    );
    expect(found.map((url) => existsSync(fileURLToPath(url)))).toEqual(wanted.map(() => true));
  });
});
