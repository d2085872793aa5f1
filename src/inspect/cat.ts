/** `acs cat`: one line per contract, every field of the event, and those of the blob that differ from it. */
import { ContractView } from '../contract/contractView.js';
import { usageError } from '../io/error.js';
import type { ByteInput } from '../io/input.js';
import { type ScanOptions, type SnapshotFacts, scanSnapshot } from '../snapshot/scan.js';
import { JsonBytes } from '../wire/jsonBytes.js';
import { type ArgumentRenderer, CAT_FIELDS, type CatField, fieldWriters } from './catFields.js';

export interface CatOptions extends ScanOptions {
  /** Fields to print, in the order given. Default: all but `createdEventBlob`. */
  fields?: readonly CatField[];
  /** Print `createdEventBlob` (base64) too. */
  blob?: boolean;
  /** Stop after so many contracts. */
  limit?: number;
  /** Only these contract ids (lower-case hex). */
  contracts?: ReadonlySet<string>;
  /** Called with the id of each contract chosen by `contracts`. */
  onFound?: (contractId: string) => void;
  /** Prints arguments with their names. Default: positionally, which needs no package. */
  render?: ArgumentRenderer;
}

export interface CatFacts extends SnapshotFacts {
  /** Contracts printed. */
  printed: number;
}

/** One contract as field texts: each value is JSON; undefined when the contract has no such field. */
export type CatRow = (string | undefined)[];

/** Checks field names given by a user. */
export function parseFields(names: readonly string[]): CatField[] {
  return names.map((name, i) => {
    if (names.indexOf(name) !== i) throw usageError(`the field ${name} is named twice`);
    if (!(CAT_FIELDS as readonly string[]).includes(name)) {
      throw usageError(`no field is called ${JSON.stringify(name)}`, `fields: ${CAT_FIELDS.join(', ')}`);
    }
    return name as CatField;
  });
}

export function catFields(options: CatOptions): readonly CatField[] {
  if (options.fields !== undefined) {
    return options.blob && !options.fields.includes('createdEventBlob')
      ? [...options.fields, 'createdEventBlob']
      : options.fields;
  }
  return options.blob ? CAT_FIELDS : CAT_FIELDS.filter((field) => field !== 'createdEventBlob');
}

/** Visits the chosen contracts of a file as rows. Empty records of in-flight contracts are skipped and counted. */
export function catSnapshot(
  input: ByteInput,
  emit: (row: CatRow, fields: readonly CatField[]) => void,
  options: CatOptions = {},
): Promise<CatFacts> {
  const fields = catFields(options);
  const { writers, nextContract } = fieldWriters(fields, options.render);
  const out = new JsonBytes();
  return eachContract(
    input,
    (view) => {
      nextContract();
      const row = writers.map((write) => {
        out.length = 0;
        return write(out, view) ? out.textFrom(0) : undefined;
      });
      emit(row, fields);
    },
    options,
  );
}

/**
 * The chosen contracts as JSON lines in UTF-8, absent fields left out; handed over in portions of about a chunk of the
 * file, each of which is awaited. When the file turns out damaged, what was read before is handed over first.
 */
export async function catJsonLines(
  input: ByteInput,
  sink: (lines: Buffer) => Promise<void> | void,
  options: CatOptions = {},
): Promise<CatFacts> {
  const fields = catFields(options);
  const { writers, nextContract } = fieldWriters(fields, options.render);
  const names = fields.map((field) => Buffer.from(`,${JSON.stringify(field)}:`));
  const out = new JsonBytes(1 << 20);
  let lineStart = 0;

  async function flush(): Promise<void> {
    if (out.length === 0) return;
    const lines = out.take();
    lineStart = 0;
    await sink(lines);
  }

  function writeLine(view: ContractView): void {
    lineStart = out.length;
    nextContract();
    for (let i = 0; i < writers.length; i++) {
      const before = out.length;
      if (before === lineStart) {
        out.char(OPEN_BRACE);
        out.json(names[i].subarray(1));
      } else out.json(names[i]);
      if (!writers[i](out, view)) out.length = before;
    }
    if (out.length === lineStart) out.char(OPEN_BRACE);
    out.ascii('}\n');
    lineStart = out.length;
  }

  try {
    const facts = await eachContract(input, writeLine, {
      ...options,
      async afterChunk() {
        await flush();
        await options.afterChunk?.();
      },
    });
    await flush();
    return facts;
  } catch (error) {
    // Whole lines only.
    out.length = lineStart;
    await flush();
    throw error;
  }
}

const OPEN_BRACE = 0x7b;

async function eachContract(
  input: ByteInput,
  visit: (view: ContractView) => void,
  options: CatOptions,
): Promise<CatFacts> {
  const view = new ContractView();
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  const { contracts } = options;
  let printed = 0;
  const facts = await scanSnapshot(
    input,
    (record) => {
      if (printed >= limit) return false;
      if (record.inFlight) return true;
      view.of(record);
      if (contracts !== undefined) {
        const { contractId } = view;
        if (!contracts.has(contractId)) return true;
        options.onFound?.(contractId);
      }
      visit(view);
      return ++printed < limit;
    },
    options,
  );
  return { ...facts, printed };
}

/** The row as one JSON line; absent fields are left out. */
export function rowJson(row: CatRow, fields: readonly CatField[]): string {
  let line = '';
  for (let i = 0; i < fields.length; i++) {
    const text = row[i];
    if (text !== undefined) line += `${line === '' ? '{' : ','}"${fields[i]}":${text}`;
  }
  return line === '' ? '{}\n' : `${line}}\n`;
}
