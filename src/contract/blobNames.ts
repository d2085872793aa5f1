/**
 * The names in a blob: package name and template id (snapshot-format spec, section 7). Canton's decoder refuses others, but
 * they repeat from contract to contract: who reads many looks at each only once.
 */
import { AcsError } from '../io/error.js';
import type { TemplateId } from '../snapshot/eventValues.js';
import { WireReader } from '../wire/reader.js';
import { unknownField } from './blob.js';
import { isPackageId, isPackageName, MAX_NAME_BYTES, nameProblem } from './identifier.js';

const reader = new WireReader(Buffer.alloc(0));

/** Error `BLOB_BAD_PACKAGE_NAME`. */
export function checkPackageName(buf: Buffer, start: number, end: number): void {
  if (isPackageName(buf.toString('latin1', start, end))) return;
  throw new AcsError('BLOB_BAD_PACKAGE_NAME', 'the package name is malformed', {
    byteOffset: start,
    expected: '1 to 255 of A-Z a-z 0-9 - _',
    found: buf.toString('utf8', start, end).slice(0, 80),
  });
}

/** The template id as a blob has it. Errors: `BLOB_UNKNOWN_FIELD`, `BLOB_BAD_TEMPLATE_ID`, `WIRE_*`. */
export function soundTemplateId(buf: Buffer, start: number, end: number): TemplateId {
  const r = reader.reset(buf, start, end);
  const module: string[] = [];
  const entity: string[] = [];
  let packageId = '';
  let wellFormed = true;
  while (r.pos < r.end) {
    const tag = r.tag();
    if (tag === 0x0a) packageId = r.string();
    else if (tag !== 0x12 && tag !== 0x1a) throw unknownField(r, 'Identifier', tag);
    else {
      const n = r.length();
      if (nameProblem(buf, r.pos, r.pos + n) !== undefined) wellFormed = false;
      (tag === 0x12 ? module : entity).push(buf.toString('utf8', r.pos, r.pos + n));
      r.pos += n;
    }
  }
  const [moduleName, entityName] = [module.join('.'), entity.join('.')];
  const tooLong = Math.max(moduleName.length, entityName.length) > MAX_NAME_BYTES;
  if (!wellFormed || tooLong || module.length === 0 || entity.length === 0 || !isPackageId(packageId)) {
    throw new AcsError('BLOB_BAD_TEMPLATE_ID', 'the template id is malformed', {
      byteOffset: start,
      expected: 'a package id, and names of letters, digits, $ and _',
      found: `${packageId}:${moduleName}:${entityName}`.slice(0, 200),
    });
  }
  return { packageId, moduleName, entityName };
}

/** The error `RECORD_BAD_PACKAGE_ID` when a record's representative package id is none; it may be empty. */
export function representativeProblem(packageId: string): AcsError | undefined {
  if (packageId === '' || isPackageId(packageId)) return undefined;
  return new AcsError('RECORD_BAD_PACKAGE_ID', 'the representative package id is not a package id', {
    expected: '1 to 64 of A-Z a-z 0-9 - _ space',
    found: packageId.slice(0, 80),
  });
}
