/**
 * Puts yargs and what it needs into one file, `dist/cli/yargs.js`, in the place of the module the compiler wrote there: it
 * loads in 8 ms instead of 70. Part of `npm run build`; where there is no bundler for the machine the compiler's module
 * stays, which does the same.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'dist/cli/yargs.js');
const plainText = join(root, 'scripts/plain-text.mjs');

/** Packages whose place {@link plainText} takes, and what it exports for them. */
const REPLACED = { 'string-width': 'stringWidth', 'strip-ansi': 'stripAnsi', 'wrap-ansi': 'wrapAnsi' };

async function bundle() {
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    input: 'acskit:yargs',
    platform: 'node',
    plugins: [
      {
        name: 'plain-text',
        resolveId(id) {
          return id === 'acskit:yargs' || id in REPLACED ? `\0${id}` : undefined;
        },
        load(id) {
          if (id === '\0acskit:yargs')
            return `export { default as yargs } from '${join(root, 'node_modules/yargs/index.mjs')}';`;
          const name = REPLACED[id.slice(1)];
          return name && `export { ${name} as default } from '${plainText}';`;
        },
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm' });
  await build.close();
  const [chunk] = output;
  writeFileSync(target, chunk.code);
  writeFileSync(join(root, 'dist/cli/yargs.licenses.txt'), licenses(chunk.moduleIds));
}

/** The licences of the packages in the file, which say that they have to go with the code. */
function licenses(moduleIds) {
  const folders = new Set();
  for (const id of moduleIds) {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
    if (match !== null) folders.add(match[1]);
  }
  return [...folders]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find(
        (entry) => /^licen[cs]e/i.test(entry) && statSync(join(folder, entry)).isFile(),
      );
      const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8');
      return `${name} ${version} (${license})\n\n${text}`;
    })
    .join('\n----\n\n');
}

try {
  await bundle();
} catch (error) {
  process.stderr.write(
    `note: yargs stays as it is installed, commands start 60 ms slower (${String(error.message ?? error).split('\n')[0]})\n`,
  );
}
