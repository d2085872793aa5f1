// Rewrites docs/CODES.md: every error and finding code in src, its message and the file that raises it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** Codes are string literals of upper-case words with an underscore; a single word counts where a code has to stand. */
const CODE =
  /'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|(?<=(?:AcsError\(|\bcode: |\.push\()')[A-Z]{2,})'(?:,\s*(?:message:\s*)?(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`))?/g;
/** Written like codes, but none: environment, zlib and system names, tokens of other formats. */
const NOT_CODES =
  /^(Z_|ERR_|XDG_|ACS_DELTA$|LEDGER_EFFECTS$|SQLITE_|TRANSACTION_SHAPE|ACSKIT_|CONTRACT_IMPORT_MODE_|BYTE_ARRAY$|TIMESTAMP_MICROS$|V2_0$)/;

function sources() {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Code → its first message and the files that name it. */
export function collectCodes() {
  const codes = new Map();
  for (const file of sources()) {
    for (const [, code, quoted, template] of readFileSync(file, 'utf8').matchAll(CODE)) {
      if (NOT_CODES.test(code)) continue;
      const entry = codes.get(code) ?? { message: '', files: new Set() };
      const text = (quoted ?? template ?? '').replace(/\$\{[^}]*\}/g, '…').replace(/\\'/g, "'");
      // In a list of codes the next string is another code, not a message.
      if (entry.message === '' && !/^[A-Z0-9_]+$/.test(text)) entry.message = text;
      entry.files.add(relative(src, file));
      codes.set(code, entry);
    }
  }
  return [...codes].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** `D2 IN_FLIGHT` and so on. */
function pitfalls() {
  const text = readFileSync(join(src, 'repair/warnings.ts'), 'utf8');
  return [...text.matchAll(/^ {2}(D\d+): '([A-Z_]+)'/gm)].map(([, code, name]) => `\`${code}\` ${name}`);
}

export function codesPage() {
  const rows = collectCodes().map(
    ([code, { message, files }]) =>
      `| \`${code}\` | ${message.replaceAll('|', '\\|')} | ${[...files].join(', ')} |`,
  );
  return `# Codes

Every error and finding has a stable code. Errors end a command (exit status 4, or 2 for a mistake in the call); findings
are listed and counted (exit status 1). This page is made from the source (\`node scripts/code-docs.mjs\`); a test keeps
it so. An empty message means that the text depends on the case.

Pitfalls of repairs have short codes besides: ${pitfalls().join(', ')}.

| code | message | where |
|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('../docs/CODES.md', import.meta.url), codesPage());
}
