/**
 * Typed values as Ledger API v2 `Value` and `Record` messages (daml-lf spec, sections 3.1 and 3.2; snapshot-format spec,
 * section 4). Trailing Nones of records are cut at every level, as every participant does.
 */
import type { LfValue } from '../contract/value.js';
import { sortTextEntries } from '../contract/valueEncoder.js';
import type { TypeRef } from '../dar/type.js';
import { WireWriter } from '../wire/writer.js';
import { fieldsWithoutTrailingNones } from './trailingNone.js';
import { checkFieldCount, kindOfPlan, mismatch, unknownConstructor } from './typeCheck.js';
import type { TypePlan } from './typePlan.js';
import { atRoot, atStep } from './valuePath.js';

/** Field numbers of the Ledger API `Value` oneof. From 12 on they differ from those of the blob. */
export const LEDGER_API_FIELD = {
  unit: 1,
  bool: 2,
  int64: 3,
  date: 4,
  timestamp: 5,
  numeric: 6,
  party: 7,
  text: 8,
  contractId: 9,
  optional: 10,
  list: 11,
  textMap: 12,
  genMap: 13,
  record: 14,
  variant: 15,
  enum: 16,
} as const;

/**
 * `verbose`: labels and type ids, as in ledger queries with `verbose`. `labels`: labels only, as values decoded from JSON
 * have them. `plain`: neither, as in snapshots.
 */
export type LedgerApiForm = 'verbose' | 'labels' | 'plain';

/**
 * The bytes of a Ledger API `Record` (create arguments). `plan` must be that of a record.
 * Errors: those of the type check, with `place.path`.
 */
export function encodeLedgerApiRecord(plan: TypePlan, value: LfValue, form: LedgerApiForm): Buffer {
  const w = new WireWriter(256);
  try {
    if (value.kind !== 'record' || kindOfPlan(plan) !== 'record') throw mismatch(plan, value);
    writeRecordBody(w, plan, value.fields, form);
  } catch (error) {
    throw atRoot(error);
  }
  return w.finish();
}

/** The bytes of a Ledger API `Value` (contract keys). Errors as for {@link encodeLedgerApiRecord}. */
export function encodeLedgerApiValue(plan: TypePlan, value: LfValue, form: LedgerApiForm): Buffer {
  const w = new WireWriter(256);
  try {
    writeLedgerApiValue(w, plan, value, form);
  } catch (error) {
    throw atRoot(error);
  }
  return w.finish();
}

function writeIdentifier(w: WireWriter, field: number, ref: TypeRef): void {
  w.messageField(field, () => {
    w.stringField(1, ref.packageId);
    w.stringField(2, ref.module);
    w.stringField(3, ref.name);
  });
}

function writeLedgerApiValue(w: WireWriter, plan: TypePlan, value: LfValue, form: LedgerApiForm): void {
  if (value.kind !== kindOfPlan(plan)) throw mismatch(plan, value);
  switch (value.kind) {
    case 'unit':
      w.tag(LEDGER_API_FIELD.unit, 2).varint(0);
      return;
    case 'bool':
      w.tag(LEDGER_API_FIELD.bool, 0).varint(value.value ? 1 : 0);
      return;
    case 'int64':
      w.tag(LEDGER_API_FIELD.int64, 0).sint64(value.value);
      return;
    case 'date':
      w.tag(LEDGER_API_FIELD.date, 0).varint64(BigInt(value.value));
      return;
    case 'timestamp':
      w.tag(LEDGER_API_FIELD.timestamp, 1).sfixed64(value.value);
      return;
    case 'numeric':
    case 'party':
    case 'text':
    case 'contractId':
      w.stringField(LEDGER_API_FIELD[value.kind], value.value);
      return;
    case 'optional': {
      const inner = value.value;
      w.messageField(LEDGER_API_FIELD.optional, () => {
        if (inner !== null) w.messageField(1, () => writeLedgerApiValue(w, plan.element, inner, form));
      });
      return;
    }
    case 'list':
      w.messageField(LEDGER_API_FIELD.list, () => {
        value.items.forEach((item, i) => {
          writeAt(w, 1, plan.element, item, form, `[${i}]`);
        });
      });
      return;
    case 'textMap':
      w.messageField(LEDGER_API_FIELD.textMap, () => {
        for (const [key, item] of sortTextEntries(value.entries)) {
          w.messageField(1, () => {
            if (key !== '') w.stringField(1, key);
            writeAt(w, 2, plan.element, item, form, `[${JSON.stringify(key)}]`);
          });
        }
      });
      return;
    case 'genMap':
      w.messageField(LEDGER_API_FIELD.genMap, () => {
        value.entries.forEach(([key, item], i) => {
          w.messageField(1, () => {
            writeAt(w, 1, plan.element, key, form, `[${i}][0]`);
            writeAt(w, 2, plan.mapValue, item, form, `[${i}][1]`);
          });
        });
      });
      return;
    case 'record':
      w.messageField(LEDGER_API_FIELD.record, () => writeRecordBody(w, plan, value.fields, form));
      return;
    case 'variant': {
      const rank = plan.ranks.get(value.tag);
      if (rank === undefined) throw unknownConstructor(plan, value.tag);
      w.messageField(LEDGER_API_FIELD.variant, () => {
        if (form === 'verbose' && plan.ref !== null) writeIdentifier(w, 1, plan.ref);
        w.stringField(2, value.tag);
        writeAt(w, 3, plan.parts[rank], value.value, form, value.tag);
      });
      return;
    }
    case 'enum':
      if (!plan.ranks.has(value.tag)) throw unknownConstructor(plan, value.tag);
      w.messageField(LEDGER_API_FIELD.enum, () => {
        if (form === 'verbose' && plan.ref !== null) writeIdentifier(w, 1, plan.ref);
        w.stringField(2, value.tag);
      });
      return;
  }
}

function writeAt(
  w: WireWriter,
  field: number,
  plan: TypePlan,
  value: LfValue,
  form: LedgerApiForm,
  step: string,
): void {
  try {
    w.messageField(field, () => writeLedgerApiValue(w, plan, value, form));
  } catch (error) {
    throw atStep(error, step);
  }
}

function writeRecordBody(
  w: WireWriter,
  plan: TypePlan,
  values: readonly LfValue[],
  form: LedgerApiForm,
): void {
  checkFieldCount(plan, values);
  const { fields, names } = plan;
  // A trailing None must still have the type of its field.
  for (let i = Math.min(values.length, fields.length) - 1; i >= 0; i--) {
    if (values[i].kind !== kindOfPlan(fields[i])) throw atStep(mismatch(fields[i], values[i]), names[i]);
  }
  if (form === 'verbose' && plan.ref !== null) writeIdentifier(w, 1, plan.ref);
  const n = fieldsWithoutTrailingNones(values, fields.length);
  for (let i = 0; i < n; i++) {
    w.messageField(2, () => {
      if (form !== 'plain') w.stringField(1, names[i]);
      writeAt(w, 2, fields[i], values[i], form, names[i]);
    });
  }
}
