/** The package as another program sees it: by its own name, through its exports. Needs the build (`npm test` makes it). */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

function run(program: string): string {
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(done.stderr).toBe('');
  return done.stdout;
}

describe('the package', () => {
  it('runs the example of the README', () => {
    const [, example] = /```js\n([\s\S]*?)```/.exec(readFileSync(`${ROOT}README.md`, 'utf8')) ?? [];
    expect(example).toBeDefined();
    const promised = [...example.matchAll(/^console\.log.* \/\/ (.*)$/gm)].map(([, output]) => output);
    expect(promised).toHaveLength(2);
    expect(run(example)).toBe(`${promised.join('\n')}\n`);
  });

  it('gives every folder of src as a subpath', () => {
    const folders = readdirSync(`${ROOT}src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const wanted = folders.map((folder) => {
      const [file] = readdirSync(`${ROOT}src/${folder.name}`).filter((name) => name.endsWith('.ts'));
      return `${folder.name}/${file.slice(0, -'.ts'.length)}`;
    });
    const found: string[] = JSON.parse(
      run(
        `console.log(JSON.stringify(${JSON.stringify(wanted)}.map((w) => import.meta.resolve('acskit/' + w))))`,
      ),
    );
    expect(found.map((url) => existsSync(fileURLToPath(url)))).toEqual(wanted.map(() => true));
  });
});
