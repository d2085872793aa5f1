/** Writes a Daml-LF value in the canonical form of `created_event_blob` (snapshot-format spec, section 5.3). */
import { AcsError } from '../io/error.js';
import { WireWriter } from '../wire/writer.js';
import { LF_FIELD, type LfValue, MAX_VALUE_DEPTH } from './value.js';

/** The canonical bytes of a value. */
export function encodeValue(value: LfValue): Buffer {
  const w = new WireWriter(256);
  writeValue(w, value, 0);
  return w.finish();
}

/** Appends the canonical bytes of a value (without tag or length). */
export function writeValue(w: WireWriter, value: LfValue, depth = 0): void {
  if (depth > MAX_VALUE_DEPTH) {
    throw new AcsError('VALUE_TOO_DEEP', 'values are nested too deeply', {
      expected: `at most ${MAX_VALUE_DEPTH} levels`,
    });
  }
  switch (value.kind) {
    case 'unit':
      w.tag(LF_FIELD.unit, 2).varint(0);
      return;
    case 'bool':
      w.tag(LF_FIELD.bool, 0).varint(value.value ? 1 : 0);
      return;
    case 'int64':
      w.tag(LF_FIELD.int64, 0).sint64(value.value);
      return;
    case 'date':
      w.tag(LF_FIELD.date, 0).varint64(BigInt(value.value));
      return;
    case 'timestamp':
      w.tag(LF_FIELD.timestamp, 1).sfixed64(value.value);
      return;
    case 'numeric':
      w.stringField(LF_FIELD.numeric, value.value);
      return;
    case 'party':
      w.stringField(LF_FIELD.party, value.value);
      return;
    case 'text':
      if (value.value.includes('\0'))
        throw new AcsError('VALUE_NUL_IN_TEXT', 'a text contains the character U+0000');
      w.stringField(LF_FIELD.text, value.value);
      return;
    case 'contractId':
      w.bytesField(LF_FIELD.contractId, Buffer.from(value.value, 'hex'));
      return;
    case 'optional': {
      const inner = value.value;
      w.messageField(LF_FIELD.optional, () => {
        if (inner !== null) w.messageField(1, () => writeValue(w, inner, depth + 1));
      });
      return;
    }
    case 'list':
      w.messageField(LF_FIELD.list, () => {
        for (const item of value.items) w.messageField(1, () => writeValue(w, item, depth + 1));
      });
      return;
    case 'genMap':
      w.messageField(LF_FIELD.genMap, () => {
        for (const [key, item] of value.entries) {
          w.messageField(1, () => {
            w.messageField(1, () => writeValue(w, key, depth + 1));
            w.messageField(2, () => writeValue(w, item, depth + 1));
          });
        }
      });
      return;
    case 'record':
      w.messageField(LF_FIELD.record, () => {
        for (const field of value.fields) {
          w.messageField(1, () => w.messageField(1, () => writeValue(w, field, depth + 1)));
        }
      });
      return;
    case 'variant':
      w.messageField(LF_FIELD.variant, () => {
        w.stringField(1, value.tag);
        w.messageField(2, () => writeValue(w, value.value, depth + 1));
      });
      return;
    case 'enum':
      w.messageField(LF_FIELD.enum, () => w.stringField(1, value.tag));
      return;
    case 'textMap':
      w.messageField(LF_FIELD.textMap, () => {
        for (const [key, item] of sortTextEntries(value.entries)) {
          w.messageField(1, () => {
            if (key !== '') w.stringField(1, key);
            w.messageField(2, () => writeValue(w, item, depth + 1));
          });
        }
      });
      return;
  }
}

/** Entries ascending by the UTF-8 bytes of their keys (not the UTF-16 order of JavaScript strings). */
export function sortTextEntries<T>(entries: readonly (readonly [string, T])[]): (readonly [string, T])[] {
  return [...entries].sort((a, b) => compareCodePoints(a[0], b[0]));
}

/** Code-point order, which is the order of the UTF-8 bytes. */
export function compareCodePoints(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates (U+D800…DFFF) stand for characters above U+FFFF: lift them over the rest of the plane.
      if (x >= 0xd800 && y >= 0xd800) {
        x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
        y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
      }
      return x - y;
    }
  }
  return a.length - b.length;
}
