/** Any valid LF value, with every kind of part. */
import fc from 'fast-check';
import type { LfValue } from '../../src/contract/value.js';
import { MAX_DATE, MAX_TIMESTAMP, MIN_DATE, MIN_TIMESTAMP } from '../../src/contract/value.js';
import { compareCodePoints } from '../../src/contract/valueEncoder.js';

const name = fc.stringMatching(/^[A-Za-z$_][A-Za-z0-9$_]{0,12}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((t) => !t.includes('\0'));
export const { value: anyLfValue } = fc.letrec<{ value: LfValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constant<LfValue>({ kind: 'unit' }),
    fc.boolean().map<LfValue>((value) => ({ kind: 'bool', value })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map<LfValue>((value) => ({ kind: 'int64', value })),
    fc.integer({ min: MIN_DATE, max: MAX_DATE }).map<LfValue>((value) => ({ kind: 'date', value })),
    fc
      .bigInt({ min: MIN_TIMESTAMP, max: MAX_TIMESTAMP })
      .map<LfValue>((value) => ({ kind: 'timestamp', value })),
    fc
      .stringMatching(/^-?([1-9][0-9]{0,15}|0)\.[0-9]{0,20}$/)
      .map<LfValue>((value) => ({ kind: 'numeric', value })),
    fc.stringMatching(/^[A-Za-z0-9:\-_ ]{1,60}$/).map<LfValue>((value) => ({ kind: 'party', value })),
    text.map<LfValue>((value) => ({ kind: 'text', value })),
    fc
      .uint8Array({ minLength: 32, maxLength: 68 })
      .map<LfValue>((b) => ({ kind: 'contractId', value: `00${Buffer.from(b).toString('hex')}` })),
    fc.option(tie('value')).map<LfValue>((value) => ({ kind: 'optional', value })),
    fc.array(tie('value'), { maxLength: 4 }).map<LfValue>((items) => ({ kind: 'list', items })),
    fc
      .array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 })
      .map<LfValue>((entries) => ({ kind: 'genMap', entries })),
    fc
      .uniqueArray(fc.tuple(text, tie('value')), { maxLength: 3, selector: ([k]) => k })
      .map<LfValue>((entries) => ({
        kind: 'textMap',
        entries: entries.sort(([a], [b]) => compareCodePoints(a, b)),
      })),
    fc.array(tie('value'), { maxLength: 5 }).map<LfValue>((fields) => ({ kind: 'record', fields })),
    fc.tuple(name, tie('value')).map<LfValue>(([tag, value]) => ({ kind: 'variant', tag, value })),
    name.map<LfValue>((tag) => ({ kind: 'enum', tag })),
  ),
}));
