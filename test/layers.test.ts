import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** From the bottom up; a level may import itself and those before it. */
const LEVELS = [
  'io',
  'wire',
  'snapshot',
  'contract',
  'ledger',
  'dar',
  'typed',
  'hash',
  'commitment',
  'inspect',
  'reshape',
  'recover',
  'convert',
  'store',
  'diff',
  'remap',
  'place',
  'repair',
  'canton',
  'replicate',
  'cli',
];

const src = fileURLToPath(new URL('../src', import.meta.url));

function sources(): string[] {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => match[1]);
  return found.map((specifier) => relative(src, resolve(dirname(file), specifier)));
}

describe('the levels of src', () => {
  it('are the known ones', () => {
    const levels = readdirSync(src, { withFileTypes: true }).filter((e) => e.isDirectory());
    for (const { name } of levels) expect(LEVELS).toContain(name);
  });

  it('import downwards only', () => {
    const wrong: string[] = [];
    for (const file of sources()) {
      const own = LEVELS.indexOf(relative(src, file).split('/')[0]);
      if (own < 0) continue;
      for (const target of imports(file)) {
        const level = LEVELS.indexOf(target.split('/')[0]);
        if (level > own) wrong.push(`${relative(src, file)} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('hold no circle of imports', () => {
    const targets = new Map(
      sources().map((file) => [
        relative(src, file),
        imports(file).map((target) => target.replace(/\.js$/, '.ts')),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      else if (!done.has(file)) for (const target of targets.get(file) ?? []) walk(target, [...path, file]);
      done.add(file);
    };
    for (const file of targets.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });

  it('are described with files that exist', () => {
    const text = readFileSync(join(src, '..', 'docs', 'ARCHITECTURE.md'), 'utf8');
    const named = [...text.matchAll(/`((?:[A-Za-z0-9]+\/)+[A-Za-z0-9.]+\.c?ts)`/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThan(30);
    const missing = named.filter(
      (path) => !existsSync(join(src, path)) && !existsSync(join(src, '..', path)),
    );
    expect(missing).toEqual([]);
  });

  it('have no file that has grown beyond one concept', () => {
    const long = sources().filter((file) => readFileSync(file, 'utf8').split('\n').length > 450);
    expect(long.map((file) => relative(src, file))).toEqual([]);
  });

  it('have no barrels, no grab bags and no default exports', () => {
    for (const file of sources()) {
      const name = relative(src, file);
      expect(name).not.toMatch(/(^|\/)(utils?|helpers?|common|misc)\.ts$/);
      if (name !== 'index.ts') expect(name).not.toMatch(/\/index\.ts$/);
      expect(readFileSync(file, 'utf8')).not.toMatch(/^export default/m);
    }
  });
});
