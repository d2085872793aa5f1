/** `META-INF/MANIFEST.MF` of a DAR (daml-lf spec, section 1.2). */
import { AcsError } from '../io/error.js';

export const MANIFEST_ENTRY = 'META-INF/MANIFEST.MF';

export interface DarManifest {
  /** Zip entry of the main package. */
  readonly main: string;
  /** Zip entries of all packages, the main one included, in the order of the manifest. */
  readonly dalfs: readonly string[];
  readonly sdkVersion: string | null;
  /** `<name>-<version>` as the compiler wrote it; informational. */
  readonly name: string | null;
}

/** Errors: `DAR_BAD_MANIFEST`. */
export function parseManifest(text: string): DarManifest {
  const values = mainSection(text);
  const format = values.get('format')?.trim();
  if (format !== 'daml-lf') {
    throw bad('the manifest does not say that this is a DAR', 'Format: daml-lf', format ?? 'no Format');
  }
  const main = required(values, 'Main-Dalf');
  const dalfs = required(values, 'Dalfs')
    .split(',')
    .map((entry) => entry.trim());
  if (dalfs.includes('')) throw bad('Dalfs has an empty entry name');
  if (new Set(dalfs).size !== dalfs.length) throw bad('Dalfs names an entry twice');
  if (!dalfs.includes(main)) throw bad('Dalfs does not name the main package', main);
  return { main, dalfs, sdkVersion: optional(values, 'sdk-version'), name: optional(values, 'name') };
}

/** Keys in lower case. A line that starts with a space continues the one before; the first empty line ends the section. */
function mainSection(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let key: string | undefined;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === '') break;
    if (line.startsWith(' ')) {
      if (key === undefined) throw bad('the manifest begins with a continuation line');
      values.set(key, `${values.get(key)}${line.slice(1)}`);
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) throw bad('a manifest line has no key', 'Key: value', JSON.stringify(line.slice(0, 100)));
    key = line.slice(0, colon).toLowerCase();
    if (values.has(key)) throw bad(`the manifest gives ${line.slice(0, colon)} twice`);
    const value = line.slice(colon + 1);
    values.set(key, value.startsWith(' ') ? value.slice(1) : value);
  }
  return values;
}

function required(values: Map<string, string>, key: string): string {
  const value = values.get(key.toLowerCase())?.trim();
  if (value === undefined || value === '') throw bad(`the manifest has no ${key}`, key);
  return value;
}

function optional(values: Map<string, string>, key: string): string | null {
  return values.get(key)?.trim() ?? null;
}

function bad(message: string, expected?: string, found?: string): AcsError {
  return new AcsError('DAR_BAD_MANIFEST', message, { expected, found });
}
