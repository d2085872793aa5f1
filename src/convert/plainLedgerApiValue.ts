/**
 * Values as Ledger API v2 messages without labels and type ids: what a snapshot's `create_arguments` and `contract_key`
 * hold. No package is needed. Trailing Nones of records are cut at every level (snapshot-format spec, 3.4 item 8).
 */
import type { LfValue } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import { WireWriter } from '../wire/writer.js';

/** A serialized `Record`; the value must be a record. */
export function plainRecord(value: LfValue, w = new WireWriter(512)): Buffer {
  w.clear();
  if (value.kind === 'record') writeFields(w, value.fields);
  return w.finish();
}

/** A serialized `Value`. */
export function plainValue(value: LfValue, w = new WireWriter(256)): Buffer {
  w.clear();
  writePlain(w, value);
  return w.finish();
}

function writeFields(w: WireWriter, fields: readonly LfValue[]): void {
  let n = fields.length;
  while (n > 0) {
    const last = fields[n - 1];
    if (last.kind !== 'optional' || last.value !== null) break;
    n--;
  }
  for (let i = 0; i < n; i++) {
    w.messageField(2, () => w.messageField(2, () => writePlain(w, fields[i])));
  }
}

function writePlain(w: WireWriter, value: LfValue): void {
  switch (value.kind) {
    case 'unit':
      w.tag(1, 2).varint(0);
      return;
    case 'bool':
      w.tag(2, 0).varint(value.value ? 1 : 0);
      return;
    case 'int64':
      w.tag(3, 0).sint64(value.value);
      return;
    case 'date':
      w.tag(4, 0).varint64(BigInt(value.value));
      return;
    case 'timestamp':
      w.tag(5, 1).sfixed64(value.value);
      return;
    case 'numeric':
      w.stringField(6, value.value);
      return;
    case 'party':
      w.stringField(7, value.value);
      return;
    case 'text':
      w.stringField(8, value.value);
      return;
    case 'contractId':
      w.stringField(9, value.value);
      return;
    case 'optional': {
      const inner = value.value;
      w.messageField(10, () => {
        if (inner !== null) w.messageField(1, () => writePlain(w, inner));
      });
      return;
    }
    case 'list':
      w.messageField(11, () => {
        for (const item of value.items) w.messageField(1, () => writePlain(w, item));
      });
      return;
    case 'textMap':
      w.messageField(12, () => {
        for (const [key, item] of sortTextEntries(value.entries)) {
          w.messageField(1, () => {
            if (key !== '') w.stringField(1, key);
            w.messageField(2, () => writePlain(w, item));
          });
        }
      });
      return;
    case 'genMap':
      w.messageField(13, () => {
        for (const [key, item] of value.entries) {
          w.messageField(1, () => {
            w.messageField(1, () => writePlain(w, key));
            w.messageField(2, () => writePlain(w, item));
          });
        }
      });
      return;
    case 'record':
      w.messageField(14, () => writeFields(w, value.fields));
      return;
    case 'variant':
      w.messageField(15, () => {
        w.stringField(2, value.tag);
        w.messageField(3, () => writePlain(w, value.value));
      });
      return;
    case 'enum':
      w.messageField(16, () => w.stringField(2, value.tag));
      return;
  }
}
