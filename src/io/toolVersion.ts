/** What this program calls itself in the files it writes. */
import { readFileSync } from 'node:fs';

let version: string | undefined;

/** `acskit x.y.z`, from the package itself. */
export function toolVersion(): string {
  version ??= (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version;
  return `acskit ${version}`;
}
