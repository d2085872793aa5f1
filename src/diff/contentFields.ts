/** Which fields of a contract's content two rows show differently. */
import type { PartySets } from './partySets.js';
import { ROW } from './row.js';

/** A content field whose difference can be told. */
export type ContentField =
  | 'serialization version'
  | 'package name'
  | 'template'
  | 'argument'
  | 'signatories'
  | 'created at'
  | 'authentication data'
  | 'key'
  | 'encoding';

/**
 * Which fields of two rows with content differ; stakeholders are not looked at. `encoding` alone means: the bytes differ,
 * no field does.
 */
export function differingFields(
  a: Int32Array,
  at: number,
  b: Int32Array,
  bt: number,
  parties: PartySets,
): ContentField[] {
  const differs = (word: number): boolean => a[at + word] !== b[bt + word];
  if (
    !differs(ROW.digest) &&
    !differs(ROW.digest + 1) &&
    !differs(ROW.digest + 2) &&
    !differs(ROW.digest + 3)
  )
    return [];
  const fields: ContentField[] = [];
  const header = (a[at + ROW.header]! ^ b[bt + ROW.header]!) >>> 0;
  if ((header & 3) !== 0) fields.push('serialization version');
  if (header >>> 2 !== 0) fields.push('package name');
  if (differs(ROW.template)) fields.push('template');
  if (differs(ROW.argument) || differs(ROW.argument + 1)) fields.push('argument');
  const [left, right] = [a[at + ROW.parties]!, b[bt + ROW.parties]!];
  if (left !== right && !sameTexts(parties.signatoriesOf(left), parties.signatoriesOf(right)))
    fields.push('signatories');
  if (differs(ROW.createdLow) || differs(ROW.createdHigh)) fields.push('created at');
  if (differs(ROW.authentication)) fields.push('authentication data');
  if (differs(ROW.key)) fields.push('key');
  if (fields.length === 0 && left === right) fields.push('encoding');
  return fields;
}

export function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
